"""The pure state machine: `step(state, event) -> (state, actions)`."""
