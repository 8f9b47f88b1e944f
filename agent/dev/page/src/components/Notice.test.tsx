import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { Notice } from "./Notice";

test("an error is read out at once, other news when there is time", () => {
  const { rerender } = render(<Notice tone="error" text="Gone." />);
  expect(screen.getByRole("alert")).toHaveTextContent("Gone.");
  rerender(<Notice tone="info" text="Back." />);
  expect(screen.getByRole("status")).toHaveTextContent("Back.");
});

test("what to do about it, and dismissing it, are buttons with names", async () => {
  const run = vi.fn();
  const onDismiss = vi.fn();
  render(<Notice tone="error" text="Gone." actions={[{ label: "Try again", run }]} onDismiss={onDismiss} />);
  await userEvent.click(screen.getByRole("button", { name: "Try again" }));
  await userEvent.click(screen.getByRole("button", { name: "Dismiss" }));
  expect(run).toHaveBeenCalledTimes(1);
  expect(onDismiss).toHaveBeenCalledTimes(1);
});

test("a notice without either has no buttons", () => {
  render(<Notice tone="info" text="Back." />);
  expect(screen.queryByRole("button")).not.toBeInTheDocument();
});
