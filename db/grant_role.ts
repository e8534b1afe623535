/** Lets the functions' own database user work with the tables, and do nothing else: the owner of the tables only migrates. */
import type { Database, Migrator, Row } from "./database.ts";
import type { Dialect } from "./dialect.ts";

/** The names are ours; anything else would have to be quoted. */
const plainName = /^[a-z_]{1,32}$/;

/** Idempotent. The user has no password: it comes with a token of AWS's IAM database authentication. */
export async function grantRole(database: Database & Migrator, role: string): Promise<void> {
  if (!plainName.test(role)) throw new TypeError("a role's name is lower-case letters and _");
  await database.alone((run) => grants[database.dialect.name](run, role));
}

type Grant = (run: (text: string) => Promise<Row[]>, role: string) => Promise<void>;

const grants: Readonly<Record<Dialect["name"], Grant>> = {
  async postgres(run, role) {
    await run(
      `DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '${role}') THEN CREATE ROLE ${role} LOGIN; END IF; END $$`,
    );
    await run(`GRANT rds_iam TO ${role}`);
    const [row] = await run("SELECT quote_ident(current_schema()) AS name");
    await run(`GRANT USAGE ON SCHEMA ${row?.name} TO ${role}`);
    await run(`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${row?.name} TO ${role}`);
    // Everybody may, unless the owner's default privileges say otherwise.
    await run(`GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA ${row?.name} TO ${role}`);
  },
  async mysql(run, role) {
    const [row] = await run("SELECT DATABASE() AS name");
    await run(`CREATE USER IF NOT EXISTS '${role}'@'%' IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS' REQUIRE SSL`);
    await run(`GRANT SELECT, INSERT, UPDATE, DELETE ON \`${row?.name}\`.* TO '${role}'@'%'`);
  },
};
