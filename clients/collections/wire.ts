/** Documents, conditions and changes as the server reads them: dates as `{"$date": ms}`, paths with dots. Pure. */

type Fields = Record<string, unknown>;

/** The language's name of a value's kind, such as Array or Date. */
export const kindOf = (value: unknown): string => Object.prototype.toString.call(value).slice(8, -1);

export const isPlain = (value: unknown): value is Fields => kindOf(value) === "Object";

/** An object of operators, such as `{ $gt: 1 }`; a date on the wire is a value. */
const isCommand = (value: unknown): value is Fields =>
  isPlain(value) && /^\$(?!date$)/.test(Object.keys(value)[0] ?? "");

/** An object with fields of its own, that is walked through. */
const isNested = (value: unknown): value is Fields =>
  isPlain(value) && !isCommand(value) && Object.keys(value).length > 0 && !("$date" in value);

/** A value for the wire. Fields that are undefined are left out. @param where a condition's path: there they are refused */
export function toWire(value: unknown, where?: string): unknown {
  if (value === undefined && where) throw new TypeError(`where: ${where} is undefined`);
  if (value instanceof Date) return { $date: +value };
  if (value instanceof RegExp) return { $regex: value.source, $options: value.flags };
  if (Array.isArray(value)) return value.map((one) => toWire(one, where));
  if (!isPlain(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, toWire(one, where)]));
}

/** For JSON.parse: dates are dates. */
export const revive = (_: string, value: { $date?: number } | null): unknown =>
  value?.$date === undefined ? value : new Date(value.$date);

/** A value that has been parsed already. */
export const fromWire = <T>(value: T): T => JSON.parse(JSON.stringify(value), revive);

/** A condition. @throws TypeError where a value is undefined: without that field, everything would match */
export function toQuery(where: object): Fields {
  const query: Fields = {};
  const all: Fields[] = [];
  const walk = (fields: object, path: string) => {
    for (const [name, value] of Object.entries(fields)) {
      const at = path + name;
      // Logic between conditions, and between the operators of one field.
      if (/^\$(and|n?or)$/.test(name)) all.push({ [name]: value.map(toQuery) });
      else if (isNested(value)) walk(value, `${at}.`);
      else if (name[0] !== "$" && isCommand(value) && /^\$(and|n?or)$/.test(Object.keys(value)[0] ?? ""))
        for (const [logic, some] of Object.entries(value))
          all.push({ [logic]: (some as unknown[]).map((one) => toQuery({ [at]: one })) });
      else query[at] = toWire(value, at);
    }
  };
  walk(where, "");
  if (all.length) query.$and = all;
  return query;
}

/** Changes, by operator. A plain object changes its own fields only. */
export function toUpdate(changes: object): Fields {
  const update: Record<string, Fields> = {};
  const put = (operator: string, at: string, value: unknown) => {
    update[operator] = { ...update[operator], [at]: toWire(value) };
  };
  const walk = (fields: object, path: string) => {
    for (const [name, value] of Object.entries(fields)) {
      const at = path + name;
      if (isCommand(value)) for (const [operator, by] of Object.entries(value)) put(operator, at, by);
      else if (isNested(value)) walk(value, `${at}.`);
      else if (value !== undefined) put("$set", at, value);
    }
  };
  walk(changes, "");
  return update;
}
