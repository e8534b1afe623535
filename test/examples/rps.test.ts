/** Rock, paper, scissors of the examples, played by two people in a real Chromium, one of whom cheats. */
import type { Page } from "../web/_browser.ts";
import { barriersOf, type Demo, openDemo, shot } from "./_demo.ts";

describe("rock, paper, scissors", () => {
  let demo: Demo;
  beforeAll(async () => {
    demo = await openDemo({ environment: { MEMBER_MS: "3000", ROOMS_PER_HOUR: "100" } });
  });
  afterAll(async () => demo?.close());

  /** Whatever a page receives, by answers and by its socket. */
  function peek(page: Page): string[] {
    const all: string[] = [];
    page.on("websocket", (socket) => socket.on("framereceived", ({ payload }) => void all.push(String(payload))));
    page.on("response", async (answer) => {
      if (/games|rooms|session/.test(answer.url())) all.push(await answer.text().catch(() => ""));
    });
    return all;
  }
  const status = (page: Page, text: string | RegExp) => page.locator("#status", { hasText: text }).waitFor();
  const choose = (page: Page, name: string) => page.getByRole("button", { name, exact: true }).click();
  const press = choose;

  async function sit(): Promise<[Page, Page, string[]]> {
    const one = await demo.open("rps/");
    await status(one, "Waiting for an opponent");
    const two = await demo.open("");
    const seen = peek(two);
    await two.goto(`${demo.house.url}/examples/rps/`);
    for (const page of [one, two]) await status(page, "Round 1: choose");
    return [one, two, seen];
  }
  const close = async (...pages: Page[]) => {
    for (const page of pages) {
      await page
        .getByRole("button", { name: "Leave", exact: true })
        .click({ timeout: 1_000 })
        .catch(() => undefined);
      await page.close();
    }
  };

  it("is played best of three, revealed to both at once, and played again", async () => {
    const [one, two] = await sit();
    await choose(one, "Rock");
    await status(one, "Chosen. Nobody sees it");
    await status(two, "your opponent has chosen");
    await shot(two, "rps-hurry");
    await choose(two, "Scissors");
    for (const page of [one, two]) await status(page, "Round 2: choose");
    expect(await one.locator("#score").textContent()).toBe("You 1 : 0 opponent");
    expect(await two.locator("#score").textContent()).toBe("You 0 : 1 opponent");
    expect(await two.locator("#hands").innerText()).toMatch(/Scissors\s*:\s*Rock/);
    for (const page of [one, two]) await choose(page, "Paper");
    await one.locator("#last", { hasText: "A draw" }).waitFor();
    for (const page of [one, two]) await status(page, "Round 3: choose");
    // A reload in the middle is at the same table.
    await two.reload();
    await status(two, "Round 3: choose");
    await choose(two, "Rock");
    await choose(one, "Paper");
    await one.locator("#last", { hasText: "Best of three: you win!" }).waitFor();
    await two.locator("#last", { hasText: "Best of three: your opponent wins" }).waitFor();
    await press(one, "Another match");
    await status(two, "Your opponent wants another match");
    await press(two, "Another match");
    for (const page of [one, two]) {
      await status(page, "Round 4: choose");
      expect(await page.locator("#score").textContent()).toBe("You 0 : 0 opponent");
    }
    await close(one, two);
  });

  it("shows a cheater nothing early, and takes no second choice, no late one and no replay", async () => {
    const [one, cheat, seen] = await sit();
    const requests: { url: string; headers: Record<string, string>; body: string }[] = [];
    cheat.on("request", (request) => {
      if (request.method() === "POST" && request.url().endsWith("/moves"))
        requests.push({ url: request.url(), headers: request.headers(), body: request.postData() ?? "" });
    });
    await choose(one, "Rock");
    await status(cheat, "your opponent has chosen");
    // Looks everywhere: the game, the room's messages and members.
    const looked = await cheat.evaluate<string>(`(async () => {
      const { token } = JSON.parse(localStorage["examples.session"]);
      const ask = async (path, headers = {}) => (await fetch(path, { headers: { authorization: "Bearer " + token, ...headers } })).text();
      const { game, grant } = JSON.parse(await (await fetch("/games", { method: "POST", headers: { authorization: "Bearer " + token } })).text());
      const all = [await ask("/games/" + game.id)];
      for (const what of ["messages", "members"]) all.push(await ask("/rooms/" + game.room + "/" + what, { "x-grant": grant }));
      return all.join();
    })()`);
    expect(looked).toContain('"chosen":[true,false]');
    expect(`${looked}${seen.join()}`).not.toMatch(/rock|paper|scissors/);
    expect(seen.length).toBeGreaterThan(3);
    await choose(cheat, "Scissors");
    await one.locator("#score", { hasText: "You 1 : 0" }).waitFor();
    // Sends the losing move once more, another one for the round that is over, and two at once for this one.
    const [move] = requests;
    const body = JSON.parse(move?.body ?? "{}");
    const send = (more: object) =>
      cheat.evaluate<{ game: { wins: number[]; round: number; choice: string; last: object } }>(
        `fetch(${JSON.stringify(move?.url)}, { method: "POST", headers: ${JSON.stringify({ authorization: move?.headers.authorization, "content-type": "application/json" })}, body: ${JSON.stringify(JSON.stringify({ ...body, ...more }))} }).then((answer) => answer.json())`,
      );
    for (const more of [{}, { choice: "paper" }, { round: 9, choice: "paper" }])
      expect((await send(more)).game).toMatchObject({
        wins: [1, 0],
        round: 2,
        choice: null,
        last: { choices: ["rock", "scissors"] },
      });
    const both = await Promise.all([send({ round: 2, choice: "paper" }), send({ round: 2, choice: "rock" })]);
    const taken = both.map(({ game }) => game.choice);
    expect(taken[0]).toBe(taken[1]);
    await status(one, "your opponent has chosen");
    await close(one, cheat);
  });

  it("notices an opponent who has left, and one whose network is lost and comes back in time has not", async () => {
    const [one, two] = await sit();
    await two.context().setOffline(true);
    await two.locator("#network").waitFor();
    await two.context().setOffline(false);
    await two.locator("#network").waitFor({ state: "hidden" });
    await choose(one, "Rock");
    await status(two, "your opponent has chosen");
    // Gone without a word.
    await two.close();
    await status(one, "Your opponent has left: you win");
    await shot(one, "rps-left");
    await press(one, "Another opponent");
    await status(one, "Waiting for an opponent");
    const three = await demo.open("rps/");
    for (const page of [one, three]) await status(page, "Round 1: choose");
    await press(three, "Leave");
    await status(one, "Your opponent has left: you win");
    await status(three, "You have left");
    await close(one, three);
  });

  it("keeps nobody out", async () => {
    const one = await demo.open("rps/");
    await status(one, "Waiting");
    const ready = async (page: Page) => {
      await page.locator("#choices button:enabled").first().waitFor();
      await page.locator("#choices button:enabled").first().click();
      await page.locator('#choices [aria-pressed="true"]').waitFor();
      await page.locator("#leave").click();
      await page.locator("#leave").waitFor({ state: "hidden" });
      await one.getByRole("button", { name: "Another opponent" }).click();
      await status(one, "Waiting");
    };
    expect(await barriersOf(demo, "rps/", ready)).toEqual([]);
    await one.close();
    expect(demo.errors).toEqual([]);
  });
});
