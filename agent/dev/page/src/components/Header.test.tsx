import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { Header } from "./Header";

const visitor = { token: null, name: null, visitorId: "v1" };
const signIn = vi.fn<(name: string) => Promise<void>>();
const signOut = vi.fn();
const openNew = vi.fn();
const show = (more: Partial<Parameters<typeof Header>[0]> = {}) =>
  render(<Header identity={visitor} signIn={signIn} signOut={signOut} openNew={openNew} busy={false} {...more} />);
const opener = () => screen.getByRole("button", { name: "Sign in", expanded: false });

beforeEach(() => {
  signIn.mockReset().mockResolvedValue();
  signOut.mockReset();
});

describe("signing in", () => {
  test("opens with the focus in the field, and Enter signs in", async () => {
    const user = userEvent.setup();
    show();
    await user.click(opener());
    expect(screen.getByRole("textbox", { name: "Your name" })).toHaveFocus();
    await user.keyboard(" ana {Enter}");
    expect(signIn.mock.calls).toEqual([["ana"]]);
  });

  test("Escape closes it and gives the focus back", async () => {
    const user = userEvent.setup();
    show();
    await user.click(opener());
    await user.keyboard("{Escape}");
    expect(screen.queryByRole("textbox")).not.toBeInTheDocument();
    expect(opener()).toHaveFocus();
  });

  test("a click elsewhere closes it, one inside does not", async () => {
    const user = userEvent.setup();
    show();
    await user.click(opener());
    await user.click(screen.getByText("Your name"));
    expect(screen.getByRole("textbox")).toBeInTheDocument();
    await user.click(screen.getByRole("heading"));
    expect(screen.queryByRole("textbox")).not.toBeInTheDocument();
  });

  test("is asked for once, and not without a name", async () => {
    signIn.mockReturnValue(new Promise(() => undefined));
    const user = userEvent.setup();
    show();
    await user.click(opener());
    await user.keyboard("{Enter}  {Enter}");
    expect(signIn).not.toHaveBeenCalled();
    await user.keyboard("ana{Enter}{Enter}");
    expect(signIn).toHaveBeenCalledTimes(1);
  });

  test("an error is told in words", async () => {
    signIn.mockRejectedValue(new Error("That name cannot be used."));
    const user = userEvent.setup();
    show();
    await user.click(opener());
    await user.keyboard("ana{Enter}");
    expect(await screen.findByRole("alert")).toHaveTextContent("That name cannot be used.");
  });

  test("waits while a call is running", () => {
    show({ busy: true });
    expect(opener()).toBeDisabled();
  });
});

test("a new conversation is opened, but not in a call", async () => {
  const { rerender } = show();
  const button = screen.getByRole("button", { name: "New conversation" });
  await userEvent.click(button);
  expect(openNew).toHaveBeenCalledTimes(1);
  rerender(<Header identity={visitor} signIn={signIn} signOut={signOut} openNew={openNew} busy />);
  expect(button).toBeDisabled();
  expect(button).toHaveAttribute("title", "Hang up first");
});

describe("a signed-in user", () => {
  const ana = { token: "jwt", name: "ana", visitorId: "v1" };

  test("can sign out", async () => {
    show({ identity: ana });
    await userEvent.click(screen.getByRole("button", { name: "Sign out ana" }));
    expect(signOut).toHaveBeenCalledTimes(1);
  });

  test("but not in a call", () => {
    show({ identity: ana, busy: true });
    expect(screen.getByRole("button", { name: "Sign out ana" })).toBeDisabled();
  });
});
