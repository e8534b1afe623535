/** The chat room and rock, paper, scissors on two phones each, against a whole server. */
import { shot } from "./_demo.ts";
import { openPhones, type Phone, type Phones } from "./_phone.ts";

describe("the examples on two phones", () => {
  let phones: Phones;
  beforeAll(async () => {
    phones = await openPhones({ environment: { MEMBER_MS: "3000", ROOMS_PER_HOUR: "100" } });
  });
  afterAll(async () => phones?.close());

  const isWell = async (...all: Phone[]) => {
    for (const phone of all) {
      expect(await phone.complaints()).toEqual([]);
      await phone.close();
    }
  };

  it("chat: who is here, what was said, typing, and a network that goes and comes back", async () => {
    const [one, two] = [await phones.phone("chat"), await phones.phone("chat", "zh_CN")];
    await two.on(".chat-member").nth(1).waitFor();
    await one.on(".chat-name").fill("Ann");
    await two.on(".chat-member", "Ann").waitFor();
    await one.on(".chat-say").fill("Hello");
    await two.on(".chat-typing", "Ann 正在输入…").waitFor();
    await one.on(".chat-send").tap();
    await two.on(".chat-line", "Hello").waitFor();
    await one.on(".chat-line.chat-mine:not(.chat-sending)", "Hello").waitFor();
    // Into the background: WeChat ends the app's socket.
    await one.page.evaluate("window.phone.hide()");
    await two.on(".chat-member", "Ann").waitFor({ state: "detached" });
    await two.on(".chat-say").fill("在吗");
    await two.on(".chat-say").press("Enter");
    await two.on(".chat-line.chat-mine:not(.chat-sending)", "在吗").waitFor();
    await one.page.evaluate("window.phone.show()");
    await one.on(".chat-line", "在吗").waitFor();
    await two.on(".chat-member", "Ann").waitFor();
    expect(await one.on(".chat-text").allTextContents()).toEqual(["Hello", "在吗"]);
    await shot(one.page, "phone-chat");
    // Who goes back to the index has left.
    await one.page.evaluate("window.phone.back()");
    await two.on(".chat-member", "Ann").waitFor({ state: "detached" });
    await isWell(one, two);
  });

  it("rock, paper, scissors: matched, revealed at once, best of three, again, and left", async () => {
    const [one, two] = [await phones.phone("rps"), await phones.phone("rps", "zh_CN")];
    const choose = (phone: Phone, choice: string) => phone.on(`.rps-${choice}`).tap();
    await one.on(".rps-status", "Round 1").waitFor();
    await two.on(".rps-status", "第 1 轮").waitFor();
    await choose(one, "rock");
    await one.on(".rps-status", "Chosen").waitFor();
    await two.on(".rps-status", "对手已经出手").waitFor();
    expect(await two.on(".rps-hand").count()).toBe(0);
    await choose(two, "scissors");
    await one.on(".rps-score", "You 1 : 0").waitFor();
    await two.on(".rps-score", "你 0 : 1").waitFor();
    expect(await two.on(".rps-hand").allTextContents()).toEqual(["剪刀", "石头"]);
    await one.on(".rps-status", "Round 2").waitFor();
    await two.on(".rps-status", "第 2 轮").waitFor();
    await choose(two, "scissors");
    await choose(one, "rock");
    await one.on(".rps-last", "you win").waitFor();
    await two.on(".rps-last", "对手赢了").waitFor();
    await shot(two.page, "phone-rps");
    await two.on(".rps-again").tap();
    await one.on(".rps-status", "wants another match").waitFor();
    await one.on(".rps-again").tap();
    await two.on(".rps-status", "第 3 轮").waitFor();
    // Back to the index: the opponent is not at the table any more.
    await two.page.evaluate("window.phone.back()");
    await one.on(".rps-status", "has left: you win").waitFor();
    await isWell(one, two);
  });
});
