/** `FILES_URL`: where a server keeps its files, a folder, or a bucket of S3 or of a store that speaks its language. */

export interface FilesFolder {
  readonly folder: string;
}

/** Holds a secret: never printed. */
export interface FilesBucket {
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly bucket: string;
  /** The bucket's own address. Browsers and phones use it too. */
  readonly endpoint: string;
}

export type FilesPlace = FilesFolder | FilesBucket;

/** Names what is wrong, never its value. */
export class FilesUrlWrong extends Error {
  override readonly name = "FilesUrlWrong";
}

const form = "s3://KEY:SECRET@host[:port]/bucket?region=…";
const encoded = "in KEY and SECRET write / as %2F, + as %2B, @ as %40";
const options = ["region", "style", "tls"];

/** These know a bucket by its host alone. Elsewhere hosts of buckets need entries in DNS, which a LAN has not. */
const byHost = /\.(amazonaws\.com(\.cn)?|aliyuncs\.com|myqcloud\.com)$/;

/** @throws FilesUrlWrong */
export function parseFilesUrl(text: string): FilesPlace {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return { folder: text };
  const wrong = (reason: string) => new FilesUrlWrong(`${reason}: ${form}`);
  if (!/^s3:/i.test(text)) throw wrong("must be a folder or begin with s3");
  if (!URL.canParse(text)) throw wrong(`is no address; ${encoded}`);
  const { username, password, hostname, host, pathname, searchParams } = new URL(text);
  if (username === "" || password === "") throw wrong(`has no KEY:SECRET; ${encoded}`);
  const bucket = pathname.slice(1).replace(/\/$/, "");
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)) throw wrong("has no name of a bucket after the host");
  if ([...searchParams.keys()].some((name) => !options.includes(name)))
    throw wrong(`takes ${options.join(", ")} after the question mark and nothing else`);
  const one = (name: string, known: readonly string[]): string | undefined => {
    const value = searchParams.get(name) ?? undefined;
    if (value !== undefined && !known.includes(value)) throw wrong(`has another ${name} than ${known.join(" or ")}`);
    return value;
  };
  const scheme = one("tls", ["on", "off"]) === "off" ? "http" : "https";
  const isHost = (one("style", ["host", "path"]) ?? (byHost.test(hostname) ? "host" : "path")) === "host";
  const region = searchParams.get("region") ?? /(?:^|\.)s3[.-]([a-z]{2}-[a-z-]+-\d)\./.exec(hostname)?.[1];
  if (region === undefined || !/^[a-z0-9-]{1,40}$/.test(region))
    throw wrong('has no region; a store without regions usually takes "us-east-1"');
  return {
    region,
    accessKeyId: decodeURIComponent(username),
    secretAccessKey: decodeURIComponent(password),
    bucket,
    endpoint: isHost ? `${scheme}://${bucket}.${host}` : `${scheme}://${host}/${bucket}`,
  };
}
