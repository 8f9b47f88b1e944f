export interface NoticeAction {
  readonly label: string;
  readonly run: () => void;
}

interface NoticeProps {
  readonly tone: "error" | "info";
  readonly text: string;
  readonly actions?: readonly NoticeAction[];
  readonly onDismiss?: () => void;
}

/** Something the person should know, in words, with what to do about it. */
export function Notice({ tone, text, actions = [], onDismiss }: NoticeProps) {
  return (
    <div className={`notice ${tone}`} role={tone === "error" ? "alert" : "status"}>
      <p>{text}</p>
      {actions.map(({ label, run }) => (
        <button key={label} type="button" className="quiet" onClick={run}>
          {label}
        </button>
      ))}
      {onDismiss && (
        <button type="button" className="quiet" onClick={onDismiss} aria-label="Dismiss">
          ✕
        </button>
      )}
    </div>
  );
}
