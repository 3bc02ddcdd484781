"""The pure state machine: `machine.step(state, event, pack, options) -> (state, actions)`.

An event becomes a trigger (`triggers`), the table finds the rule for state and trigger (`table`),
the rule takes a Turn and returns one with another state and more actions (`turn`, `rules`), and
`machine` adds what holds after every rule: timers, earcons, what to listen for.

The rules stand in one file a phase of the conversation:

    onset          a cramp is named or comes back; what is missing is asked; the routine opens
    steps          the steps before a hold
    holding        the counted hold
    rounds         how does it feel; rest, another position, plan B, worse
    return_to_run  it is gone: ease in, check in later
    controls       pause, repeat, slower, louder, stop
    questions      answers to what the user asks
    reprompts      silence, nonsense, an answer to something else
    corrections    another muscle, side or position on the way
    preferences    settings changed by voice; undo
    triage         raise a red flag, or put a safety question
    red_flags      signs, answers to safety questions, the way out of a warning
    barred         limbs that are not worked on again in this session
    resume         back to where an interruption came from
    faults         devices lost and found, sleep, the end

To add an intent: a member of `Intent`, its cells in the table (a test names the states that lack
one), its rule, and its sentences in intents/<language>. To add a state: a member of `State` (and
its place in COACHING, QUESTIONS or DETOURS), a row of the table, what is mostly said in it
(`machine._EXPECTED`), and how to go on with it (`rules.resume`).
"""
