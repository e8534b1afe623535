/**
 * Credentials of the command line at AWS: from the environment or a profile in ~/.aws, as AWS's own tools find them.
 * Source: the AWS CLI user guide, configuration and credential file settings.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { CallerConfig } from "../shared/config.ts";
import type { AwsCredentials } from "./aws_call.ts";

type Profile = Readonly<Record<string, string>>;

/** There are no credentials, or of a kind that is not read here. The message says what to do. */
export class NoCredentials extends Error {
  override readonly name = "NoCredentials";
}

export interface AwsIdentity {
  readonly credentials: AwsCredentials;
  /** From the environment or the profile. */
  readonly region: string | undefined;
}

/** @param profile from the command line @throws NoCredentials */
export function readAwsIdentity(config: CallerConfig, profile = config.profile): AwsIdentity {
  const { keys, region } = config;
  // A named profile goes before keys in the environment.
  if (profile === undefined && keys !== undefined) return { credentials: keys, region };
  const name = profile ?? "default";
  const home = join(config.home ?? homedir(), ".aws");
  const found: Profile = {
    ...sectionsOf(config.configFile ?? join(home, "config")).get(name),
    ...sectionsOf(config.credentialsFile ?? join(home, "credentials")).get(name),
  };
  return { credentials: credentialsOf(found, name), region: region ?? found.region };
}

function credentialsOf(profile: Profile, name: string): AwsCredentials {
  const {
    aws_access_key_id: accessKeyId,
    aws_secret_access_key: secretAccessKey,
    credential_process: command,
  } = profile;
  if (accessKeyId !== undefined && secretAccessKey !== undefined)
    return { accessKeyId, secretAccessKey, sessionToken: profile.aws_session_token };
  if (command !== undefined) return fromProcess(command);
  const how = `eval "$(aws configure export-credentials --profile ${name} --format env)"`;
  if (profile.sso_session !== undefined || profile.sso_start_url !== undefined || profile.role_arn !== undefined)
    throw new NoCredentials(`profile "${name}" signs in by itself; do that with AWS's own command line: ${how}`);
  throw new NoCredentials(
    `no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or write profile "${name}" into ~/.aws/credentials`,
  );
}

/** Runs the profile's command; its owner wrote it for this purpose. */
function fromProcess(command: string): AwsCredentials {
  let output: { AccessKeyId?: string; SecretAccessKey?: string; SessionToken?: string } = {};
  try {
    output = JSON.parse(
      execFileSync("/bin/sh", ["-c", command], { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }),
    );
  } catch {
    // Its output may be secret, so it is not shown.
  }
  const { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, SessionToken: sessionToken } = output;
  if (accessKeyId === undefined || secretAccessKey === undefined)
    throw new NoCredentials("the profile's credential_process gave no credentials");
  return { accessKeyId, secretAccessKey, sessionToken };
}

/** Section → its settings. Sections of `config` are called `profile x`, of `credentials` just `x`. */
function sectionsOf(path: string): Map<string, Profile> {
  const sections = new Map<string, Record<string, string>>();
  let current: Record<string, string> = {};
  for (const line of linesOf(path)) {
    const section = /^\[\s*(?:profile\s+)?(.+?)\s*\]/.exec(line)?.[1];
    if (section !== undefined) {
      current = {};
      sections.set(section, current);
    }
    // Indented lines belong to nested settings, which are not used here.
    const [, name, value] = /^([a-z_]+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined) current[name] = value;
  }
  return sections;
}

function linesOf(path: string): string[] {
  try {
    return readFileSync(path, "utf8").split(/\r?\n/);
  } catch {
    return [];
  }
}
