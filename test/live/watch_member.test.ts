/** The frames of one watch: what waits together goes in one frame, which a client must be able to read. */
import { entered, listEvents } from "../../shared/live/watch_events.ts";
import { template } from "../../shared/live/watch_frames.ts";
import { WatchMember } from "../../shared/live/watch_member.ts";

const documents = (...ids: string[]) => ids.map((_id) => ({ _id }));

function eventsOf(frame: string | undefined): string[] {
  const { msgData } = JSON.parse(frame ?? "{}") as {
    msgData: { currEvent: number; events: { ID: number; QueueType: string; DocID: string }[] };
  };
  return msgData.events.map(({ ID, QueueType, DocID }) => `${ID} ${QueueType} ${DocID}`);
}

it("a frame has one whole list at most, and before it nothing: a client appends a second one to the first", () => {
  const opening = { connection: "c", watchId: "w", requestId: "r", queryId: "q" } as ConstructorParameters<
    typeof WatchMember
  >[0];
  const member = new WatchMember(opening, 0, 5);
  const delta = (id: string) => template([entered({ _id: id }, "add")]);
  member.queue(delta("x"));
  member.queue(template(listEvents(documents("b", "a"))), true);
  member.queue(delta("c"));
  member.queue(template(listEvents(documents("c", "b"))), true);
  member.queue(delta("d"));
  expect(eventsOf(member.takeFrame())).toEqual(["6 init c", "6 init b", "7 enqueue d"]);
  member.queue(template(listEvents([])), true);
  member.queue(delta("e"));
  expect(eventsOf(member.takeFrame())).toEqual(["8 init ", "8 dequeue ", "9 enqueue e"]);
});
