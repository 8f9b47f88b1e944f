import { createRoot } from "react-dom/client";
import { setLogLevel } from "livekit-client";
import { App } from "./App";
import { ErrorBoundary } from "./components/ErrorBoundary";
import "./styles/base.css";
import "./styles/layout.css";
import "./styles/thread.css";
import "./styles/call.css";

setLogLevel("warn"); // its info lines tell of every connection

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");
createRoot(root).render(
  <ErrorBoundary>
    <App />
  </ErrorBoundary>,
);
