/** A download in a mini-program, to a path. */
import { ApiError } from "../api.ts";
import { safely } from "../emitter.ts";
import { type Job, noAnswer, startWork } from "./job.ts";
import type { Ask } from "./parts.ts";
import { absolute } from "./put.ts";
import type { FileAddress, Work, WorkOptions } from "./types.ts";
import type { Asker } from "./upload.ts";
import { asked, wxFiles } from "./wx.ts";

export interface DownloadOptions extends WorkOptions {
  /** Where it shall be, below `wx.env.USER_DATA_PATH`. Default: a temporary path, which lasts as long as the app runs. */
  filePath?: string;
}

export function downloadByWx(client: Asker, id: string, options: DownloadOptions): Work<string> {
  return startWork(client.channel.platform, options, (job) =>
    job._persist(async () => {
      const { address } = await (client.ask as Ask)<{ address: FileAddress | null }>({
        method: "GET",
        path: `/files/${id}`,
      });
      if (!address) throw new ApiError("FILE_NOT_STORED", 409, "its bytes are not there yet");
      return fetchByWx(client, job, absolute(client.url, address.url), options);
    }),
  );
}

async function fetchByWx(client: Asker, job: Job, url: string, options: DownloadOptions): Promise<string> {
  const { filePath, onProgress } = options;
  const app = wxFiles();
  if (!app) throw new TypeError("downloadFile is for mini-programs; elsewhere files(client).get(id) gives an address");
  const start = (moved: () => void) => {
    let abort = () => {};
    const answer = asked<Downloaded>((back) => {
      const task = app.downloadFile({ url, timeout: maxMs, ...(filePath && { filePath }), ...back });
      task.onProgressUpdate(({ totalBytesWritten, totalBytesExpectedToWrite }) => {
        moved();
        void safely(client.channel.platform, () => onProgress?.(totalBytesWritten, totalBytesExpectedToWrite));
      });
      abort = () => task.abort();
    });
    return { _answer: answer, _abort: () => abort() };
  };
  const got = await job._watch(start, 0);
  // wx writes the body of any answer into the file.
  if (got.statusCode !== 200) throw new ApiError(noAnswer, got.statusCode, `the store answered ${got.statusCode}`);
  return (got.filePath ?? got.tempFilePath) as string;
}

interface Downloaded {
  statusCode: number;
  tempFilePath?: string;
  filePath?: string;
}

/** For 200 MB on a slow network; a minute is WeChat's own. */
const maxMs = 3_600_000;
