/** Files in the action dialect. An error has the words of CloudBase's storage, not those of its database. */
import * as v from "valibot";
import type { App } from "../app.ts";
import { toAppError } from "../to_app_error.ts";
import { type Act, type Acts, type Asked, byCaller } from "./asked.ts";
import { authorOf, sessionFor } from "./author.ts";
import { cloudPath } from "./cloud_path.ts";
import { storageRefusalOf } from "./refusal.ts";
import { addressesOf, maxList, removeObjects } from "./stored_objects.ts";
import { offerUpload } from "./upload_object.ts";

/** Such an id need not be one: of a list each has an outcome of its own. */
const fileId = v.pipe(v.string(), v.maxLength(2_000, "an id of a file"));
const listOf = <S extends v.GenericSchema>(schema: S) =>
  v.pipe(v.array(schema), v.minLength(1, "at least one file"), v.maxLength(maxList, `at most ${maxList} files`));
/** Seconds. */
const age = v.nullish(v.pipe(v.number(), v.minValue(1)));

const upload = v.object({ path: cloudPath });
const addresses = v.object({ file_list: listOf(v.object({ fileid: fileId, max_age: age })) });
const removal = v.object({ fileid_list: listOf(fileId) });

const withStorageWords =
  (run: Act): Act =>
  async (app: App, asked: Asked) => {
    try {
      return await run(app, asked);
    } catch (error) {
      const refused = toAppError(app, error);
      asked.notes.code = refused.code;
      return storageRefusalOf(refused);
    }
  };

const acts: Acts = {
  "storage.getUploadMetadata": async (app, asked) =>
    byCaller(upload, async (_, caller, { path }) => {
      const session = await sessionFor(app, caller);
      const ask = {
        session,
        isAdmin: authorOf(caller).isAdmin,
        path,
        type: "",
        bytes: undefined,
        origin: asked.origin,
        address: asked.address,
      };
      const { url, fileId, downloadUrl } = await offerUpload(app, ask);
      // The clients send these in headers and fields; the address alone says it all.
      return { data: { url, fileId, download_url: downloadUrl, token: "-", authorization: "-", cosFileId: "-" } };
    })(app, asked),
  "storage.batchGetDownloadUrl": async (app, asked) =>
    byCaller(addresses, async (_, caller, { file_list: list }) => {
      const wanted = list.map(({ fileid, max_age }) => ({ fileId: fileid, age: max_age ?? undefined }));
      const outcomes = await addressesOf(app, authorOf(caller), asked.origin, wanted);
      return {
        data: {
          download_list: outcomes.map(({ fileId, ...rest }) =>
            rest.refusal === undefined
              ? { code: "SUCCESS", ...named(fileId), download_url: rest.url, tempFileURL: rest.url, maxAge: rest.age }
              : { ...rest.refusal, ...named(fileId) },
          ),
        },
      };
    })(app, asked),
  "storage.batchDeleteFile": async (app, asked) =>
    byCaller(removal, async (_, caller, { fileid_list: ids }) => {
      const outcomes = await removeObjects(app, authorOf(caller), ids);
      return {
        data: {
          delete_list: outcomes.map(({ fileId, refusal }) => ({ code: "SUCCESS", ...refusal, ...named(fileId) })),
        },
      };
    })(app, asked),
};

/** Both spellings are read by one release or another. */
const named = (fileId: string) => ({ fileid: fileId, fileID: fileId });

export const storageActions: Acts = Object.fromEntries(
  Object.entries(acts).map(([name, run]) => [name, withStorageWords(run)]),
);
