import { useEffect, useState } from "react";
import { ConversationView } from "./components/ConversationView";
import { Notice } from "./components/Notice";
import { loadConfig, type Config } from "./config";
import { AgentConnectionProvider } from "./hooks/useAgentConnection";
import { useIdentity } from "./identity";
import { useConversation } from "./useConversation";

/** Loads what the server says about itself, then shows the conversation that the address names. */
export function App() {
  const [config, setConfig] = useState<Config | null>(null);
  const [error, setError] = useState<string | null>(null);
  const { identity, signIn, signOut } = useIdentity();
  const { conversation, openNew } = useConversation(identity);

  useEffect(() => {
    loadConfig().then(setConfig, (problem: Error) => setError(problem.message));
  }, []);

  if (error) {
    return (
      <main className="only-notice">
        <Notice tone="error" text={error} actions={[{ label: "Reload", run: () => location.reload() }]} />
      </main>
    );
  }
  if (!config) return <main className="only-notice">Loading …</main>;
  return (
    // Another conversation or another person is another page: nothing of the one before stays, its call included.
    <AgentConnectionProvider key={`${identity.token ?? identity.visitorId} ${conversation}`} wsUrl={config.livekitUrl}>
      <ConversationView
        config={config}
        conversation={conversation}
        identity={identity}
        signIn={signIn}
        signOut={signOut}
        openNew={openNew}
      />
    </AgentConnectionProvider>
  );
}
