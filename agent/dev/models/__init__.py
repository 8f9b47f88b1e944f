"""The local models behind the OpenAI API: Moonshine hears, Hibari speaks, and a rule-based responder answers.

No key, no account and no download: the weights are inside the wheels. No torch.
"""
