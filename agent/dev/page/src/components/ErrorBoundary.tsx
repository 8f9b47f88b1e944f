import { Component, type ReactNode } from "react";
import { Notice } from "./Notice";

/** Says so, in words, when the page itself has failed; the browser's console has the details. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override render() {
    if (!this.state.failed) return this.props.children;
    return (
      <main className="only-notice">
        <Notice
          tone="error"
          text="The page has failed. Nothing of the conversation is lost: reload it to go on."
          actions={[{ label: "Reload", run: () => location.reload() }]}
        />
      </main>
    );
  }
}
