/** Parameter Store's values with their versions, as its API reference says; for stand-ins of AWS. */

export interface Parameters {
  /** @param selector `name` or `name:version` @returns what there is, or the code of a refusal */
  get(selector: string, decrypted: boolean): { Name: string; Value: string; Version: number } | string;
  /** @returns the version that the value has now */
  put(name: string, value: string): number;
  /** @returns whether there was one */
  remove(name: string): boolean;
}

export function keepParameters(given: Readonly<Record<string, string>> = {}): Parameters {
  const versions = new Map(Object.entries(given).map(([name, value]) => [name, [value]]));
  return {
    get(selector, decrypted) {
      const [Name = "", asked] = selector.split(":");
      const values = versions.get(Name);
      if (values === undefined) return "ParameterNotFound";
      const Version = Number(asked ?? values.length);
      const Value = values[Version - 1];
      return Value === undefined ? "ParameterVersionNotFound" : { Name, Value: decrypted ? Value : "AQICAH…", Version };
    },
    remove: (name) => versions.delete(name),
    put(name, value) {
      const values = [...(versions.get(name) ?? []), value];
      versions.set(name, values);
      return values.length;
    },
  };
}
