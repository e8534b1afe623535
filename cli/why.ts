/** `orderbell why <order>`: an order's story, from the database and the log. */
import type { AdminAnswer } from "../functions/admin.ts";
import { homeOf } from "../shared/config.ts";
import type { OrderFacts } from "../shared/ordering/order_facts.ts";
import { settleLogs } from "./admin_socket.ts";
import { type Logged, marksOf, type Story, tellStory } from "./order_story.ts";
import type { Reach } from "./reach_admin.ts";
import { reachOfKept, readKept } from "./read_log.ts";

/** @param answer of the command `order.facts` @returns the story, or the answer's error */
export async function why(answer: AdminAnswer, reach: Reach): Promise<AdminAnswer> {
  if ("error" in answer) return answer;
  const facts = answer.ok as OrderFacts;
  return { ok: { facts, story: tellStory(facts, await logOf(facts, reach)) } };
}

async function logOf(facts: OrderFacts, { environment, stage }: Reach): Promise<Logged> {
  if (stage !== undefined) {
    const { readStageLog } = await import("./stage_log.ts");
    return readStageLog(facts, stage, environment);
  }
  const home = homeOf(environment);
  const kept = await settleLogs(home);
  const lines = readKept(home, {}, { upTo: kept, marks: marksOf(facts) });
  return { lines, reachesBackTo: reachOfKept(home), where: `ORDERBELL_HOME ${home}` };
}

/** The story for people. */
export function printStory(answer: unknown): string {
  const { facts, story } = answer as { facts: OrderFacts; story: Story };
  const { id, shop, number, status } = facts.order;
  const lines = story.entries.map(({ at, source, what }) => `${at}  ${source.padEnd(8)}  ${what}`);
  return `order ${id}, ${number} of shop "${shop}": ${status}\n\n${lines.join("\n")}\n\n${story.unknown.map((one) => `- ${one}\n`).join("")}`;
}
