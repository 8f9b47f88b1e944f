import { expect, test } from "vitest";
import { keepUnsent, recallUnsent } from "./outbox";

const hello = { id: "m1", text: "Hello", refused: null };

test("what is unsent is known again after a reload, for its conversation alone", () => {
  keepUnsent("c1", [hello, { id: "m2", text: "B", refused: "Too long." }]);
  expect(recallUnsent("c1")).toEqual([hello, { id: "m2", text: "B", refused: null }]);
  expect(recallUnsent("c2")).toEqual([]);
});

test("nothing unsent leaves nothing behind", () => {
  keepUnsent("c1", [hello]);
  keepUnsent("c1", []);
  expect(sessionStorage).toHaveLength(0);
});

test.each(["{not json", "null", "5", '[{"id":5,"text":"x"}]', '[null,"x"]'])(
  "what is stored may be broken: %s",
  (stored) => {
    sessionStorage.setItem("unsent:c1", stored);
    expect(recallUnsent("c1")).toEqual([]);
  },
);
