/** What `serverless` loads: it knows no TypeScript, so the work is in scripts/lay_out.ts and beside it. */
import { join } from "node:path";
import { tsImport } from "tsx/esm/api";

const load = (file) => tsImport(file, import.meta.url);

export default class Orderbell {
  constructor(serverless, _options, { log, progress }) {
    serverless.configSchemaHandler.defineFunctionProperties("aws", {
      properties: { rights: { type: "array", items: { type: "string" } } },
    });
    const { service } = serverless;
    const cloud = () => service.custom.cloud;
    const place = () => ({ stage: service.provider.stage, service: service.service });

    // The framework's own folder: it compares what lies there with what was deployed, and moves it for `--package`.
    const folder = join(serverless.serviceDir, ".serverless");
    const build = async () => {
      progress.get("orderbell").notice("Building the functions");
      const [{ variantOf }, { buildAll }] = await Promise.all([load("./lay_out.ts"), load("./build.ts")]);
      await buildAll(variantOf(cloud()), folder);
      // Without `individually` a deployment looks for one zip of everything.
      for (const [name, own] of Object.entries(service.functions))
        own.package = { artifact: join(folder, `${name}.zip`), individually: true };
      progress.get("orderbell").remove();
    };

    this.hooks = {
      "before:package:initialize": async () => {
        await build();
        const { layOut } = await load("./lay_out.ts");
        layOut(service, cloud());
      },
      // `deploy function` replaces the code of one that is there; what it may do and knows comes with a whole deployment.
      "before:deploy:function:packageFunction": build,
      "after:aws:package:finalize:mergeCustomProviderResources": async () => {
        const [{ tighten }, { settle }] = await Promise.all([load("./lay_out.ts"), load("./settle.ts")]);
        const template = service.provider.compiledCloudFormationTemplate;
        settle(template);
        tighten(template);
      },
      "after:aws:info:gatherData": async () => {
        const { addresses } = await load("./addresses.ts");
        const info = serverless.pluginManager.getPlugins().find(({ gatheredData }) => gatheredData !== undefined);
        const lines = addresses(info.gatheredData.outputs);
        if (lines.length > 0) serverless.addServiceOutputSection("open", lines);
      },
      "before:deploy:deploy": async () => {
        const { keepDatabaseUrl, pinDatabaseUrl } = await load("./keep_database_url.ts");
        const provider = serverless.getProvider("aws");
        const { credentials, region } = await provider.getAwsSdkV3Config();
        const kept = await keepDatabaseUrl({
          ...place(),
          cloud: cloud(),
          region: typeof region === "function" ? await region() : region,
          credentials: typeof credentials === "function" ? await credentials() : credentials,
          environment: process.env,
        });
        if (kept === undefined) return;
        if (kept.changed) log.notice(`The database's address is kept in Parameter Store as ${kept.name}.`);
        pinDatabaseUrl(service.provider.compiledCloudFormationTemplate, kept);
      },
    };
  }
}
