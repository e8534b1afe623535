/** What a person is told of input that does not fit. */
import * as v from "valibot";
import * as shape from "../../shared/shape.ts";

const move = v.variant("move", [
  v.strictObject({ move: v.literal("choose"), round: shape.integer(1, 9) }),
  v.strictObject({ move: v.literal("leave") }),
]);

describe("input of one of several forms", () => {
  it.each([
    [{ move: "x" }, '"move": expected one of "choose", "leave"'],
    [{}, '"move": is missing; expected one of "choose", "leave"'],
    [null, '"body": expected an object'],
    [{ move: "choose", round: 10 }, '"round": expected at most 9'],
  ])("%j is refused in plain words", (input, words) => {
    expect(() => shape.parse(v.strictObject({ body: v.optional(move) }), { body: input })).toThrow(
      words.replace(/^"(?!body)/, '"body.'),
    );
  });
});
