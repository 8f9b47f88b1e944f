import { fireEvent, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { createRef } from "react";
import { expect, test, vi } from "vitest";
import { Composer, LONGEST_MESSAGE } from "./Composer";

function setUp() {
  const onSend = vi.fn();
  const onTyping = vi.fn();
  render(<Composer onSend={onSend} onTyping={onTyping} calling={false} field={createRef()} />);
  return { onSend, onTyping, field: screen.getByRole("textbox", { name: "Message" }), user: userEvent.setup() };
}
const button = () => screen.getByRole("button", { name: "Send" });

test("Enter sends, trimmed, and empties the field", async () => {
  const { onSend, field, user } = setUp();
  await user.type(field, "  Hello {Enter}");
  expect(onSend.mock.calls).toEqual([["Hello"]]);
  expect(field).toHaveValue("");
});

test("Shift and Enter make a new line", async () => {
  const { onSend, field, user } = setUp();
  await user.type(field, "one{Shift>}{Enter}{/Shift}two");
  expect(onSend).not.toHaveBeenCalled();
  expect(field).toHaveValue("one\ntwo");
});

test.each([{ isComposing: true }, { keyCode: 229 }])(
  "Enter that ends the composition of a word does not send: %j",
  (composing) => {
    const { onSend, field } = setUp();
    fireEvent.change(field, { target: { value: "你" } });
    fireEvent.keyDown(field, { key: "Enter", ...composing });
    expect(onSend).not.toHaveBeenCalled();
    fireEvent.keyDown(field, { key: "Enter" });
    expect(onSend).toHaveBeenCalledWith("你");
  },
);

test("nothing but space is not sent, by key or by button", async () => {
  const { onSend, field, user } = setUp();
  await user.type(field, "   {Enter}");
  expect(button()).toBeDisabled();
  expect(onSend).not.toHaveBeenCalled();
});

test("the button sends too, and the field has the focus again", async () => {
  const { onSend, field, user } = setUp();
  await user.type(field, "Hello");
  await user.click(button());
  expect(onSend).toHaveBeenCalledWith("Hello");
  expect(field).toHaveFocus();
});

test("every change tells what is typed so far", async () => {
  const { onTyping, field, user } = setUp();
  await user.type(field, "ab{Backspace}{Backspace}");
  expect(onTyping.mock.calls).toEqual([["a"], ["ab"], ["a"], [""]]);
});

test("a text that is too long is kept whole, not sent, and the person is told", () => {
  const { onSend, field } = setUp();
  fireEvent.change(field, { target: { value: "x".repeat(LONGEST_MESSAGE + 3) } });
  fireEvent.keyDown(field, { key: "Enter" });
  expect(onSend).not.toHaveBeenCalled();
  expect(button()).toBeDisabled();
  expect(field).toHaveAccessibleDescription("The message is 3 characters too long.");
  fireEvent.change(field, { target: { value: "x".repeat(LONGEST_MESSAGE) } });
  expect(screen.queryByRole("alert")).not.toBeInTheDocument();
  expect(button()).toBeEnabled();
});
