/** FILES_URL: what it may be, and what is said of what it may not be. */
import { readServerConfig } from "../../shared/config.ts";
import { parseFilesUrl } from "../../shared/files_url.ts";

const keys = { accessKeyId: "KEY", secretAccessKey: "a/b+c@d" };
const written = "s3://KEY:a%2Fb%2Bc%40d@";

describe("FILES_URL", () => {
  it.each([
    ["/mnt/files", { folder: "/mnt/files" }],
    ["files of the shop", { folder: "files of the shop" }],
    [
      `${written}nas.lan:9000/shop-files?region=us-east-1&tls=off`,
      { ...keys, region: "us-east-1", bucket: "shop-files", endpoint: "http://nas.lan:9000/shop-files" },
    ],
    [
      `${written}minio.example.com/shop-files?region=local`,
      { ...keys, region: "local", bucket: "shop-files", endpoint: "https://minio.example.com/shop-files" },
    ],
    [
      `${written}s3.eu-central-1.amazonaws.com/shop-files`,
      {
        ...{ ...keys, region: "eu-central-1", bucket: "shop-files" },
        endpoint: "https://shop-files.s3.eu-central-1.amazonaws.com",
      },
    ],
    [
      `${written}cos.ap-shanghai.myqcloud.com/shop-1250000000?region=ap-shanghai`,
      {
        ...{ ...keys, region: "ap-shanghai", bucket: "shop-1250000000" },
        endpoint: "https://shop-1250000000.cos.ap-shanghai.myqcloud.com",
      },
    ],
    [
      `${written}s3.eu-central-1.amazonaws.com/shop.files?style=path`,
      {
        ...{ ...keys, region: "eu-central-1", bucket: "shop.files" },
        endpoint: "https://s3.eu-central-1.amazonaws.com/shop.files",
      },
    ],
  ])("may be %s", (text, place) => {
    expect(parseFilesUrl(text)).toEqual(place);
    expect(readServerConfig({ FILES_URL: text }).files).toEqual(place);
  });

  it("is the home's folder when it is empty or missing", () => {
    expect([readServerConfig({}).files, readServerConfig({ FILES_URL: "" }).files]).toEqual([undefined, undefined]);
  });

  it.each([
    ["another scheme", "https://KEY:hidden@host/bucket", /folder or begin with s3/],
    ["a slash in the secret", "s3://KEY:hidden/hidden@host/bucket?region=x", /is no address; .*%2F/],
    ["no secret", "s3://KEY@host/bucket?region=x", /no KEY:SECRET/],
    ["no bucket", "s3://KEY:hidden@host/?region=x", /no name of a bucket/],
    ["a path after the bucket", "s3://KEY:hidden@host/bucket/folder?region=x", /no name of a bucket/],
    ["no region", "s3://KEY:hidden@host/bucket", /no region/],
    ["an unknown option", "s3://KEY:hidden@host/bucket?region=x&reigon=y", /takes region, style, tls/],
    ["another tls", "s3://KEY:hidden@host/bucket?region=x&tls=no", /another tls than on or off/],
  ])("with %s is refused by its name, without its value", (_, url, message) => {
    const read = () => readServerConfig({ FILES_URL: url });
    expect(read).toThrow(message);
    expect(read).toThrow(/^environment variable FILES_URL /);
    expect(read).not.toThrow(/hidden/);
  });
});
