"""`python -m agent.dev.trial_env` prints what the services of a trial share (deploy/compose.yaml), as lines of `.env`.

The keys are those of the data folder, made at the first time: the output is a secret.
"""

import sys

from agent.dev.chat.credentials import agent_token
from agent.dev.secrets import DevSecrets, load_dev_secrets
from agent.settings import SettingsError, load_settings


def trial_env(secrets: DevSecrets) -> dict[str, str]:
    """The variables: LiveKit's keys as the server reads them, and as the worker and the chat do; the worker's token."""
    return {
        "LIVEKIT_KEYS": f"{secrets.livekit_api_key}: {secrets.livekit_api_secret}",
        "LIVEKIT_API_KEY": secrets.livekit_api_key,
        "LIVEKIT_API_SECRET": secrets.livekit_api_secret,
        "CHAT_TOKEN": agent_token(secrets),
    }


def main() -> int:
    """Print them; the exit status."""
    try:
        secrets = load_dev_secrets(load_settings(env_file=None).data_dir)
    except (SettingsError, ValueError, OSError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    sys.stdout.writelines(f"{name}={value}\n" for name, value in trial_env(secrets).items())
    return 0


if __name__ == "__main__":
    sys.exit(main())
