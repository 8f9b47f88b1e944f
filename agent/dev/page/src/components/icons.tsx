// Drawn here, so that the page needs nothing from elsewhere. All are decoration: the words beside them say it.

const icon = (...strokes: readonly string[]) =>
  function Icon() {
    return (
      <svg
        viewBox="0 0 24 24"
        width="1em"
        height="1em"
        fill="none"
        stroke="currentColor"
        strokeWidth="1.9"
        strokeLinecap="round"
        strokeLinejoin="round"
        aria-hidden="true"
        focusable="false"
      >
        <path d={strokes.join("")} />
      </svg>
    );
  };

const STAND = "M12 17.5V21";

export const MicrophoneIcon = icon(
  "M12 3a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0V6a3 3 0 0 1 3-3Z",
  "M5.5 11a6.5 6.5 0 0 0 13 0",
  STAND,
);
export const MutedIcon = icon(
  "M9 9v2a3 3 0 0 0 4.6 2.5",
  "M15 10.5V6a3 3 0 0 0-5.7-1.3",
  "M5.5 11a6.5 6.5 0 0 0 10 5.5",
  "M18.5 11c0 .9-.2 1.8-.5 2.6",
  "M4 3l16 18",
  STAND,
);
export const KeyboardIcon = icon(
  "M4 6h16a1.5 1.5 0 0 1 1.5 1.5v9A1.5 1.5 0 0 1 20 18H4a1.5 1.5 0 0 1-1.5-1.5v-9A1.5 1.5 0 0 1 4 6Z",
  "M7 10h.01M10.3 10h.01M13.7 10h.01M17 10h.01M8 14h8",
);
export const PhoneIcon = icon(
  "M6.5 4h3l1.5 4.5-2 1.5a11 11 0 0 0 5 5l1.5-2 4.5 1.5v3a1.8 1.8 0 0 1-2 1.8A15.5 15.5 0 0 1 4.7 6",
  "A1.8 1.8 0 0 1 6.5 4Z",
);
export const HangUpIcon = icon("M3.5 14.5c4.7-4.7 12.3-4.7 17 0l-2 2.2-3.5-1.5v-2.6a10 10 0 0 0-6 0v2.6l-3.5 1.5Z");
export const SpeakerIcon = icon(
  "M4 9.5v5h3.5l4.5 4v-13l-4.5 4H4Z",
  "M15.5 9a4.2 4.2 0 0 1 0 6",
  "M18 6.5a8 8 0 0 1 0 11",
);
export const NoteIcon = icon("M6 3.5h8L19 8.5v12H6Z", "M14 3.5v5h5", "M9 12.5h7M9 16h7");
export const SendIcon = icon("M5 12h13", "M12.5 6.5 18 12l-5.5 5.5");
export const PlusIcon = icon("M12 5v14M5 12h14");
export const WaveIcon = icon("M4 10v4M8 7v10M12 4v16M16 7v10M20 10v4");
