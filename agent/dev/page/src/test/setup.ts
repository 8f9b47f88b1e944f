import "@testing-library/jest-dom/vitest";
import { cleanup } from "@testing-library/react";
import { afterEach, beforeEach, expect, vi } from "vitest";
import { FakeResizeObserver, watched } from "./resizes";

const inBrowser = typeof document !== "undefined"; // pure modules are tested without

// jsdom lays nothing out, so it has no scrolling either.
if (inBrowser) {
  Element.prototype.scrollTo = () => undefined;
  globalThis.ResizeObserver = FakeResizeObserver;
}

// What React or a library complains about (act(), keys, unknown attributes) fails the test it happens in.
beforeEach(() => {
  vi.spyOn(console, "error");
});

afterEach(() => {
  cleanup();
  const complaints = vi.mocked(console.error).mock.calls;
  vi.useRealTimers();
  vi.unstubAllGlobals();
  if (inBrowser) {
    localStorage.clear();
    sessionStorage.clear();
  }
  expect(complaints).toEqual([]);
  expect(watched()).toBe(0);
});
