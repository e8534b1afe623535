/** Checks the address of the user's own database before anything is built or deployed. */
import { readFileSync } from "node:fs";
import { type AddressSettings, AddressWrong, readAddress } from "../db/address.ts";
import { checkDatabaseAddress } from "../db/check_address.ts";
import { DeploymentError } from "./deployment_error.ts";
import type { Parameters } from "./parameters.ts";

export type DatabaseParameters = Pick<
  Parameters,
  "database" | "engine" | "databaseTls" | "databasePooler" | "databaseCa"
>;

/** Path of the certificate authority's file in the functions' zips. */
export const caPath = "database_ca.pem";

/** Environment of the functions beside the address. */
export function databaseVariables({
  databaseTls,
  databasePooler,
  databaseCa,
}: DatabaseParameters): Record<string, string> {
  return {
    ...(databaseTls === "" ? {} : { DATABASE_TLS: databaseTls }),
    ...(databasePooler === "" ? {} : { DATABASE_POOLER: databasePooler }),
    ...(databaseCa === "" ? {} : { DATABASE_CA: `/var/task/${caPath}` }),
  };
}

/** As the functions will read it. */
const settingsOf = ({ databaseTls, databasePooler, databaseCa }: DatabaseParameters): AddressSettings => ({
  verifiedTls: databaseTls !== "off",
  pooler: databasePooler === "" ? undefined : databasePooler,
  caFile: databaseCa === "" ? undefined : databaseCa,
});

/** @returns the authority's file for the zips @throws DeploymentError */
export function authorityFile({ databaseCa }: DatabaseParameters): Record<string, Uint8Array> {
  if (databaseCa === "") return {};
  try {
    const file = readFileSync(databaseCa);
    if (file.includes("-----BEGIN CERTIFICATE-----")) return { [caPath]: file };
  } catch (error) {
    throw new DeploymentError(`databaseCa, "${databaseCa}", cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  throw new DeploymentError(`databaseCa, "${databaseCa}", holds no certificate in PEM`);
}

/** @param url DATABASE_URL, if it is set @throws DeploymentError */
export function checkAddress(parameters: DatabaseParameters, url: string | undefined): void {
  if (!url || parameters.database !== "url") return;
  try {
    const settings = settingsOf(parameters);
    const { engine } = readAddress(url, { ...settings, verifiedTls: false });
    if (engine !== parameters.engine)
      throw new AddressWrong(`is not for ${parameters.engine}; --param engine=${engine} says that it is ${engine}`);
    readAddress(url, settings);
  } catch (error) {
    if (!(error instanceof AddressWrong)) throw error;
    const without = error.message.replace("set DATABASE_TLS=off", "deploy with --param databaseTls=off");
    throw new DeploymentError(`DATABASE_URL ${without}`);
  }
}

/** @returns lines to print: the functions run elsewhere, so an address that fails here may work there */
export async function askDatabase(parameters: DatabaseParameters, url: string | undefined): Promise<string[]> {
  if (!url || parameters.database !== "url") return [];
  const reason = await checkDatabaseAddress({ ...settingsOf(parameters), url });
  return reason === undefined
    ? []
    : [`The database cannot be used from this machine, and perhaps not from the functions: ${reason}.`];
}
