import { act, renderHook } from "@testing-library/react";
import { beforeEach, describe, expect, test } from "vitest";
import { conversationInAddress } from "./address";
import type { Identity } from "./chat/connection";
import { useConversation } from "./useConversation";

const visitor: Identity = { token: null, name: null, visitorId: "v1" };
const ana: Identity = { token: "jwt", name: "ana", visitorId: "v1" };
const render = (identity = visitor) => renderHook(useConversation, { initialProps: identity });
const goTo = (address: string) => history.replaceState(null, "", address);

beforeEach(() => goTo("/"));

describe("the conversation on show", () => {
  test("is the one that the address names", () => {
    goTo("/?conversation=c1&more=1");
    expect(render().result.current.conversation).toBe("c1");
    expect(location.search).toBe("?conversation=c1&more=1");
  });

  test.each(["/", "/?conversation=", "/?conversation=a%2Fb", `/?conversation=${"x".repeat(129)}`])(
    "is a new one at %s, which the address then names, so that a reload comes back",
    (address) => {
      goTo(address);
      const { conversation } = render().result.current;
      expect(conversation).toMatch(/^[\w-]{36}$/);
      expect(conversationInAddress()).toBe(conversation);
      expect(render().result.current.conversation).toBe(conversation);
    },
  );

  test("without a name in the address it is the last one", () => {
    goTo("/?conversation=c1");
    render();
    goTo("/");
    expect(render().result.current.conversation).toBe("c1");
  });

  test("a new one can be opened, and Back returns to the one before", async () => {
    goTo("/?conversation=c1");
    const { result } = render();
    act(() => result.current.openNew());
    expect(result.current.conversation).not.toBe("c1");
    expect(conversationInAddress()).toBe(result.current.conversation);
    const back = new Promise((resolve) => addEventListener("popstate", resolve, { once: true }));
    history.back();
    await act(() => back);
    expect(result.current.conversation).toBe("c1");
  });

  test("who signs in or out comes to a conversation of their own", () => {
    goTo("/?conversation=of-the-visitor");
    const { result, rerender } = render();
    rerender(ana);
    const anas = result.current.conversation;
    expect(anas).not.toBe("of-the-visitor");
    expect(conversationInAddress()).toBe(anas);
    rerender(visitor);
    expect(result.current.conversation).toBe("of-the-visitor");
    rerender(ana);
    expect(result.current.conversation).toBe(anas);
  });
});
