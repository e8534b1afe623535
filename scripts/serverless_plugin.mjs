/** Plugin that `serverless` loads. It cannot load TypeScript, so the work is in scripts/transform_template.ts and beside it. */
import { createRequire } from "node:module";
import { join } from "node:path";
import { tsImport } from "tsx/esm/api";

const load = (file) => tsImport(file, import.meta.url);
/** The framework's own clients of AWS. */
const ofFramework = createRequire(createRequire(import.meta.url).resolve("serverless/package.json"));
const clients = {
  ssm: "SSMClient",
  lambda: "LambdaClient",
  "api-gateway": "APIGatewayClient",
  cloudformation: "CloudFormationClient",
};

export default class Orderbell {
  constructor(serverless, options, { log, progress }) {
    serverless.configSchemaHandler.defineFunctionProperties("aws", {
      properties: Object.fromEntries(
        ["rights", "parts"].map((name) => [name, { type: "array", items: { type: "string" } }]),
      ),
    });
    const { service } = serverless;
    const place = () => ({ stage: service.provider.stage, service: service.service });
    const stack = () => serverless.getProvider("aws").naming.getStackName();

    /** Prints a DeploymentError as a sentence; other errors keep their stack. */
    const withPlainErrors = (work) => async () => {
      try {
        await work();
      } catch (error) {
        if (!["DeploymentError", "CollectionsWrong"].includes(error?.name)) throw error;
        throw new serverless.classes.Error(error.message, "ORDERBELL_DEPLOYMENT");
      }
    };

    let given;
    /** The parameters, checked once. */
    const parameters = async () => {
      if (given !== undefined) return given;
      const { readParameters } = await load("./parameters.ts");
      const sections = Object.values(serverless.configurationInput.params ?? {});
      const words = [options.param ?? []].flat().map((word) => word.split("=")[0]);
      given = readParameters({
        values: service.custom.cloud,
        named: [...words, ...sections.flatMap((section) => Object.keys(section ?? {}))],
        stage: service.provider.stage,
        functions: Object.values(service.functions).map(({ name }) => name),
      });
      return given;
    };
    const account = async () => {
      const { openAccount } = await load("./aws_account.ts");
      const config = await serverless.getProvider("aws").getAwsSdkV3Config();
      return openAccount(async (name, command, input) => {
        const { [clients[name]]: Client, [`${command}Command`]: Command } = ofFramework(`@aws-sdk/client-${name}`);
        return new Client(config).send(new Command(input));
      });
    };

    /** Gives routes that differ by a slash at the end ids of their own: with the framework's, one would replace the other. */
    const distinguishRoutes = () => {
      const { naming } = serverless.getProvider("aws");
      const idOf = naming.getHttpApiRouteLogicalId.bind(naming);
      naming.getHttpApiRouteLogicalId = (key) => `${idOf(key)}${/[^ ]\/$/.test(key) ? "Slash" : ""}`;
    };

    // The framework's own folder: it compares its files with what was deployed, and moves them for `--package`.
    const folder = join(serverless.serviceDir, ".serverless");
    const build = async () => {
      const [{ variantOf }, { buildAll }, { authorityFile, checkAddress }] = await Promise.all([
        load("./transform_template.ts"),
        load("./build.ts"),
        load("./database_address.ts"),
      ]);
      const variant = variantOf(await parameters());
      checkAddress(await parameters(), process.env.DATABASE_URL);
      const besideDriver = authorityFile(await parameters());
      progress.get("orderbell").notice("Building the functions");
      await buildAll(variant, folder, { besideDriver, cache: process.env.ORDERBELL_BUILD_CACHE });
      // Without `individually` the framework expects one zip for all functions.
      for (const [name, own] of Object.entries(service.functions))
        own.package = { artifact: join(folder, `${name}.zip`), individually: true };
      progress.get("orderbell").remove();
    };

    this.hooks = {
      "before:package:initialize": withPlainErrors(async () => {
        await build();
        distinguishRoutes();
        const { transformService } = await load("./transform_template.ts");
        transformService(service, await parameters());
      }),
      // `deploy function` only replaces the code of an existing function; rights and environment need a full deployment.
      "before:deploy:function:packageFunction": withPlainErrors(build),
      "after:aws:package:finalize:mergeCustomProviderResources": withPlainErrors(async () => {
        const [
          { tightenTemplate },
          { resolveConditions },
          { recordParameters },
          { checkTemplate },
          { DeploymentError },
        ] = await Promise.all([
          load("./transform_template.ts"),
          load("./resolve_conditions.ts"),
          load("./last_parameters.ts"),
          load("./check_template.ts"),
          load("./deployment_error.ts"),
        ]);
        const template = service.provider.compiledCloudFormationTemplate;
        resolveConditions(template);
        tightenTemplate(template);
        recordParameters(template, await parameters());
        const problems = checkTemplate(template);
        if (problems.length > 0) throw new DeploymentError(["The template would not work:", ...problems].join("\n- "));
      }),
      "after:aws:info:gatherData": async () => {
        const { addresses } = await load("./stage_addresses.ts");
        const info = serverless.pluginManager.getPlugins().find(({ gatheredData }) => gatheredData !== undefined);
        const lines = addresses(info.gatheredData.outputs, service.provider.stage);
        if (lines.length > 0) serverless.addServiceOutputSection("open", lines);
      },
      "before:deploy:deploy": withPlainErrors(async () => {
        const { prepareDeployment } = await load("./prepare_deployment.ts");
        const region = serverless.getProvider("aws").getRegion();
        const notes = await prepareDeployment(await account(), {
          ...place(),
          stack: stack(),
          region,
          parameters: await parameters(),
          template: service.provider.compiledCloudFormationTemplate,
          url: process.env.DATABASE_URL,
        });
        for (const note of notes) log.notice(note);
      }),
      "after:remove:remove": withPlainErrors(async () => {
        const { cleanUp } = await load("./prepare_deployment.ts");
        for (const note of await cleanUp(await account(), place())) log.notice(note);
      }),
    };
  }
}
