/** Many sockets of one session by CloudBase's own client, which comes back at once when it is closed: each finds a place, or an end. */
import { onEveryDialect } from "../_engines.ts";
import type { Person, TestSocket } from "../_house.ts";
import { openSocket } from "../_house.ts";
import { until } from "../_until.ts";
import { openClient } from "./_client.ts";
import { openDoors, untyped } from "./_doors.ts";

onEveryDialect((engine) => {
  it("beyond the limit of connections tabs watch beside each other, without coming back again and again", async () => {
    const house = await openDoors(engine, { environment: { CONNECTIONS_PER_SESSION: "1" } });
    const { token } = await house.guest();
    let begun = 0;
    const onChange = () => {
      begun += 1;
    };
    const failures: unknown[] = [];
    const watches = Array.from({ length: 5 }, () =>
      untyped(openClient(house, { accessKey: token }).database())
        .collection("notes")
        .watch({ onChange, onError: (error: unknown) => failures.push(error) }),
    );
    await until(
      () => begun === 5,
      "five lists",
      () => ({ begun, failures }),
    );
    // Two for each socket, as this client asks.
    const asked = house.lines.filter((line) => line.includes('"action":"auth.wsWebSign"')).length;
    expect([asked, failures]).toEqual([10, []]);
    for (const one of watches) one.close();
    await house.close();
  });

  it("the socket that is far beyond it is told so on the socket, and takes nobody's place", async () => {
    const house = await openDoors(engine, { environment: { CONNECTIONS_PER_SESSION: "1" } });
    const guest: Person = await house.guest();
    const open = async (): Promise<TestSocket> => {
      const { body } = await guest.http("POST", "/web", { body: { action: "auth.wsWebSign" } });
      return openSocket(body.data.wsUrl, []);
    };
    const login = (socket: TestSocket, requestId: string) =>
      socket.send({ msgType: "LOGIN", requestId, msgData: { envId: "e" }, exMsgData: {} });
    const sockets: TestSocket[] = [];
    const codes: unknown[] = [];
    for (let nth = 0; nth < 6; nth++) {
      const socket = await open();
      sockets.push(socket);
      login(socket, `r${nth}`);
      await until(
        () => socket.frames.length > 0,
        "an answer to LOGIN",
        () => socket.frames,
      );
      const { msgData } = socket.frames[0] as unknown as { msgData: { code?: string } };
      codes.push(msgData.code);
    }
    expect(codes).toEqual([...Array(5).fill(undefined), "CHECK_LOGIN_FAILED"]);
    for (const one of sockets) one.close();
    await Promise.all(sockets.map(({ closed }) => closed));
    await house.close();
  });
});
