/** Calls of a deployment to its AWS account, with the framework's own clients: they know proxies, profiles and endpoints. */
import { DeploymentError } from "./deployment_error.ts";

/** Runs one command of an AWS service: `("ssm", "GetParameter", {…})`. @throws the SDK's errors */
export type Send = <T>(
  service: "ssm" | "lambda" | "api-gateway" | "cloudformation",
  command: string,
  input: object,
) => Promise<T>;

export interface Account {
  parameter(
    name: string,
    decrypted: boolean,
  ): Promise<{ readonly Value: string; readonly Version: number } | undefined>;
  /** @returns its version */
  putParameter(name: string, value: string): Promise<number>;
  /** @returns whether there was one */
  deleteParameter(name: string): Promise<boolean>;
  /** The role with which API Gateway writes logs in this region; the account has one or none. */
  gatewayLogRole(): Promise<string | undefined>;
  /** How many functions may run at once in this region. */
  concurrency(): Promise<number>;
  /** Undefined if there is no such stack, or its creation failed. */
  outputs(stack: string): Promise<Record<string, string> | undefined>;
}

const errorOf = (error: unknown) =>
  error as { name?: string; message?: string; code?: string; cause?: { code?: string } };

export function openAccount(send: Send): Account {
  async function ask<T>(what: string, service: Parameters<Send>[0], command: string, input: object, none: RegExp) {
    try {
      return await send<T>(service, command, input);
    } catch (error) {
      const { name = "", message = "", code, cause } = errorOf(error);
      if (none.test(`${name} ${message}`)) return undefined;
      // The framework's own messages, about credentials for example.
      if (name === "ServerlessError") throw error;
      const reason = code ?? cause?.code ?? name;
      throw new DeploymentError(`${what} could not be asked (${command}): ${reason}. ${message}`.trim());
    }
  }
  const never = /^$/;

  return {
    async parameter(Name, WithDecryption) {
      const input = { Name, WithDecryption };
      const found = await ask<{ Parameter: { Value: string; Version: number } }>(
        "Parameter Store",
        "ssm",
        "GetParameter",
        input,
        /^ParameterNotFound/,
      );
      return found?.Parameter;
    },
    async putParameter(Name, Value) {
      const input = { Name, Value, Type: "SecureString", Overwrite: true };
      return (await ask<{ Version: number }>("Parameter Store", "ssm", "PutParameter", input, never))?.Version ?? 0;
    },
    async deleteParameter(Name) {
      return (await ask("Parameter Store", "ssm", "DeleteParameter", { Name }, /^ParameterNotFound/)) !== undefined;
    },
    async gatewayLogRole() {
      const { cloudwatchRoleArn } =
        (await ask<{ cloudwatchRoleArn?: string }>("API Gateway", "api-gateway", "GetAccount", {}, never)) ?? {};
      return cloudwatchRoleArn || undefined;
    },
    async concurrency() {
      const settings = await ask<{ AccountLimit?: { ConcurrentExecutions?: number } }>(
        "Lambda",
        "lambda",
        "GetAccountSettings",
        {},
        never,
      );
      return settings?.AccountLimit?.ConcurrentExecutions ?? 0;
    },
    async outputs(StackName) {
      const found = await ask<{ Stacks?: { Outputs?: { OutputKey: string; OutputValue: string }[] }[] }>(
        "CloudFormation",
        "cloudformation",
        "DescribeStacks",
        { StackName },
        /does not exist/,
      );
      const outputs = found?.Stacks?.[0]?.Outputs;
      return found && Object.fromEntries((outputs ?? []).map(({ OutputKey, OutputValue }) => [OutputKey, OutputValue]));
    },
  };
}

/**
 * API Gateway writes the sockets' log with a role that an account has once for each region. If another stack has set one, this
 * stack makes none: it would replace a role that other APIs use. @returns whether the stack's own role is left out
 */
export function isForeignLogRole(role: string | undefined, stack: string): boolean {
  return role !== undefined && !new RegExp(`:role/(.+/)?${stack}-GatewayLogRole-`).test(role);
}
