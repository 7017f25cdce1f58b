"""People: who holds which position, when they work, what they are asked to decide, and how they are told and reminded.

    organisation = load_people(Path("include/people"))      positions, holders, calendars, standing delegations
    desk = Desk(organisation, ...)                           opens, answers, hands over, withdraws human tasks

Everything that decides is pure (`quorum`, `answering`, `schedule`, `working_time`); `desk` puts it into the ledger.
"""
