"""Who answers: `model_brain` asks a language model, `backend_brain` the chat backend."""
