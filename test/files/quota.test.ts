/** Quotas of files: what they count, and that no race passes them. On every engine, because they are about its locks. */

import { readPurposes } from "../../cli/purposes_file.ts";
import { makePlace } from "../../shared/files/place.ts";
import { endFiles } from "../../shared/files/remove.ts";
import { purposesByName } from "../../shared/purpose.ts";
import { authenticate } from "../../shared/sessions/session.ts";
import { onEveryDialect, onEveryEngine } from "../_engines.ts";
import { type Person, TestClock } from "../_house.ts";
import { codeOf, type Files, openFiles, picture, png } from "./_files.ts";

const declared = readPurposes({}).get("picture");
if (declared === undefined) throw new TypeError("files.yml has no pictures");

/** Pictures with these bounds. */
const bounded = (files: number, bytes: number, total: number) => ({
  config: {
    purposes: purposesByName([{ ...declared, maxBytes: bytes, perUser: { files, bytes }, total: { bytes: total } }]),
  },
});

onEveryEngine((engine) => {
  it("of fifty places at once, one is made where one is left of a user's files", async () => {
    const files = await openFiles(engine, bounded(3, 1_000_000, 10_000_000));
    const guest = await files.house.guest();
    for (const _ of [1, 2]) await files.place(guest);
    // Not over HTTP, where requests of one caller wait for each other.
    const session = await authenticate(files.house.app, `Bearer ${guest.token}`);
    for (let round = 0; round < 2; round++) {
      const made = await Promise.allSettled(
        Array.from({ length: 50 }, () => makePlace(files.house.app, session, picture, "127.0.0.1")),
      );
      expect(made.map((one) => (one.status === "fulfilled" ? "made" : one.reason.code)).toSorted()).toEqual([
        ...Array(49).fill("FILES_FULL"),
        "made",
      ]);
      const places = made.flatMap((one) => (one.status === "fulfilled" ? [one.value.file] : []));
      if (round < 1) for (const place of places) await endFiles(files.house.app, place);
    }
    const refused = await files.place(guest);
    expect([codeOf(refused), refused.body]).toMatchObject([
      "409 FILES_FULL",
      { of: "user", maxFiles: 3, maxBytes: 1_000_000 },
    ]);
    expect(await files.counted(guest.user)).toEqual([3, 3 * png.length]);
    expect([...(await files.rows()).values()].filter((state) => state === "waiting")).toHaveLength(3);
    await files.close();
  });

  it("of many users' places at once, as many are made as all together may have bytes", async () => {
    const files = await openFiles(engine, bounded(9, 1_000_000, png.length * 5));
    const guests = await Promise.all(Array.from({ length: 5 }, () => files.house.guest()));
    const answers = await Promise.all(guests.flatMap((guest) => [1, 2, 3, 4].map(() => files.place(guest))));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(5);
    expect(answers.find(({ status }) => status === 409)?.body).toMatchObject({ of: "all", maxFiles: null });
    expect(await files.counted()).toEqual([5, 5 * png.length]);
    await files.close();
  });

  it("places and removals at once leave the counts as the rows are", async () => {
    const files = await openFiles(engine, bounded(100, 1_000_000, 10_000_000));
    const guests = [await files.house.guest(), await files.house.guest()] as const;
    const remove = async (who: Person, id: string) => who.http("DELETE", `/files/${id}`);
    await Promise.all(
      guests.flatMap((guest) =>
        Array.from({ length: 8 }, async (_, nth) => {
          const { id } = (await files.place(guest)).body.file;
          if (nth % 2 === 0) await Promise.all([remove(guest, id), remove(guest, id), files.place(guest)]);
        }),
      ),
    );
    const states = [...(await files.rows()).values()];
    const alive = states.filter((state) => state !== "ended").length;
    expect(alive).toBe(16);
    expect(await files.counted()).toEqual([alive, alive * png.length]);
    for (const guest of guests) expect(await files.counted(guest.user)).toEqual([8, 8 * png.length]);
    await files.close();
  });
});

onEveryDialect((engine) => {
  let files: Files;
  beforeAll(async () => {
    files = await openFiles(engine, bounded(2, 100, 10_000));
  });
  afterAll(() => files.close());

  it("bytes count as they are declared, before they are there", async () => {
    const guest = await files.house.guest();
    const place = (bytes: number) => files.place(guest, { bytes });
    expect([codeOf(await place(60)), codeOf(await place(60)), codeOf(await place(40))]).toEqual([
      "201",
      "409 FILES_FULL",
      "201",
    ]);
  });

  it("a removed file makes room, and one of a wrong content too", async () => {
    const guest = await files.house.guest();
    const first = await files.stored(guest, {}, png);
    const wrong = await files.sent(guest, { bytes: 5 }, Buffer.from("<svg>"));
    expect(codeOf(await files.place(guest, { bytes: 5 }))).toBe("409 FILES_FULL");
    expect(codeOf(await files.complete(guest, wrong.id))).toBe("400 FILE_CONTENT_WRONG");
    expect(codeOf(await files.place(guest, { bytes: 5 }))).toBe("201");
    expect((await guest.http("DELETE", `/files/${first.id}`)).status).toBe(204);
    expect(codeOf(await files.place(guest, { bytes: 5 }))).toBe("201");
  });

  it("guests of one network share five times what one may have in a day, however many they are", async () => {
    const clock = new TestClock();
    const files = await openFiles(engine, { ...bounded(1, 1_000, 100_000), clock });
    const guests = await Promise.all(Array.from({ length: 6 }, () => files.house.guest()));
    const [first, last] = [guests[0] as Person, guests[5] as Person];
    const [id] = (await Promise.all(guests.slice(0, 5).map((one) => files.place(one)))).map(({ body }) => body.file.id);
    const refused = await files.place(last);
    expect([codeOf(refused), refused.body]).toMatchObject([
      "409 FILES_FULL",
      { of: "network", maxFiles: 5, maxBytes: 5_000 },
    ]);
    expect(codeOf(await files.place(await files.house.staff("owner")))).toBe("201");
    await first.http("DELETE", `/files/${id}`);
    expect(codeOf(await files.place(last))).toBe("201");
    expect(codeOf(await files.place(first))).toBe("409 FILES_FULL");
    clock.forward(24 * 3_600_000 + 1);
    expect(codeOf(await files.place(first))).toBe("201");
    await files.close();
  });

  it("a file above the purpose's bound is refused before it is counted", async () => {
    const guest = await files.house.guest();
    const answer = await files.place(guest, { bytes: 101 });
    expect([codeOf(answer), answer.body.maxBytes]).toEqual(["413 FILE_TOO_LARGE", 100]);
    expect(await files.counted(guest.user)).toEqual([0, 0]);
  });

  it("files of a shop count for it, whichever of its devices stores them", async () => {
    const [one, two] = [await files.house.staff("owner"), await files.house.staff("owner")];
    const film = { ...picture, purpose: "film", name: "film.mp4", type: "video/mp4" };
    for (const who of [one, two]) expect((await files.place(who, film)).status).toBe(201);
    expect(await files.counted(`shop:${files.house.shop}`, "film")).toEqual([2, 2 * png.length]);
    expect(await files.counted(one.user, "film")).toEqual([0, 0]);
  });
});
