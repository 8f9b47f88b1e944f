// Stands in for ResizeObserver: jsdom lays nothing out, so a test tells that something has changed its size.

import { act } from "@testing-library/react";

const watching = new Map<ResizeObserver, ResizeObserverCallback>();

export class FakeResizeObserver implements ResizeObserver {
  constructor(private readonly callback: ResizeObserverCallback) {}

  observe(): void {
    watching.set(this, this.callback);
  }

  unobserve(): void {
    watching.delete(this);
  }

  disconnect(): void {
    watching.delete(this);
  }
}

/** Everything that is watched changes its size. */
export const resize = (): void => act(() => watching.forEach((callback, observer) => callback([], observer)));

/** How many are still watched: none, once the page is gone. */
export const watched = (): number => watching.size;
