"""In which schedules a planted bug can show at all: the others are passed over when its seed is sought."""

from __future__ import annotations

from collections.abc import Callable

from tests.faults.scenario import Scenario

Shows = Callable[[Scenario], bool]


def _long(plan: Scenario) -> bool:
    return plan.flow == "order_to_delivery"


def _crashes(plan: Scenario) -> bool:
    return any(trouble.kind in ("crash", "lose") for trouble in plan.troubles)


def _freezes(plan: Scenario) -> bool:
    return any(trouble.kind == "freeze" and trouble.seconds >= 130 for trouble in plan.troubles)


def _stormy(plan: Scenario) -> bool:
    return plan.gusts > 0


def _searched(plan: Scenario) -> bool:
    return "T3" in plan.tiers.values() and (_stormy(plan) or _crashes(plan))


def _asked(plan: Scenario) -> bool:
    return _long(plan) and plan.tiers["mail.notice"] == "T4" and (_stormy(plan) or _crashes(plan))


WHERE: dict[str, Shows] = {
    "naive_cursor": lambda plan: plan.late_rows,
    "overlap_zero": lambda plan: plan.late_rows,
    "look_back_counts_before_it_is_taken": lambda plan: plan.late_rows,
    "ties_forgotten": lambda plan: plan.grain >= 1000 and plan.orders > 1,
    "watermark_before_its_records": lambda plan: _crashes(plan) and not plan.hides and plan.grain == 1,
    "late_revision_overwrites": lambda plan: plan.stale_replica and plan.changes > 0,
    "content_hash_ignores_a_field": lambda plan: plan.changes > 0,
    "only_the_first_page": lambda plan: plan.orders > 2,
    "failed_page_passed_over": _stormy,
    "answered_before_it_is_stored": lambda plan: _long(plan) and _crashes(plan),
    "cache_ahead_of_the_commit": lambda plan: _long(plan) and _crashes(plan),
    "acknowledged_before_the_commit": lambda plan: _long(plan) and _crashes(plan),
    "failure_answered_as_success": lambda plan: _long(plan) and _crashes(plan),
    "repeated_callback_refused": lambda plan: _long(plan) and plan.rough_callbacks,
    "message_known_by_its_number": _long,
    "zone_ignored": _long,
    "units_ignored": _long,
    "header_instead_of_line": _long,
    "status_moves_backwards": lambda plan: _long(plan) and plan.rough_callbacks,
    "lane_order_ignored": lambda plan: plan.changes > 1,
    "change_taken_over_unwritten": lambda plan: plan.changes > 0,
    "poison_stops_its_neighbours": lambda plan: plan.poison,
    "poison_dropped": lambda plan: plan.poison,
    "claimed_before_the_commit": _crashes,
    "key_from_the_try_number": lambda plan: "T1" in plan.tiers.values() and _stormy(plan),
    "timeout_taken_for_success": _stormy,
    "doubt_taken_for_refusal": _searched,
    "blind_retry": _searched,
    "t3_without_the_wait": _searched,
    "t4_sent_again": _asked,
    "intent_written_after_the_call": _searched,
    "no_fence": lambda plan: _freezes(plan) and plan.overlaps,
    "lease_ignored": lambda plan: plan.overlaps,
    "lease_never_expires": _crashes,
    "left_running_forgotten": _crashes,
    "partial_batch_counted_whole": lambda plan: plan.orders > 1 and _stormy(plan),
    "retry_after_ignored": _stormy,
    "replay_resends_what_arrived": _asked,
    "replay_takes_all_for_arrived": _asked,
    "failed_search_taken_for_absence": _searched,
    "breaker_never_closes": lambda plan: plan.outage is not None or plan.gusts > 4,
    "nobody_is_woken": lambda plan: plan.master_data_late,
    "parked_work_forgotten_on_replay": lambda plan: plan.refusals or _asked(plan),
    "parked_unseen": lambda plan: plan.refusals or _asked(plan),
    "audit_entry_skipped": _stormy,
    "audited_twice": _stormy,
    "lost_commit_taken_for_done": lambda plan: any(trouble.kind == "lose" for trouble in plan.troubles),
    "consequences_in_another_transaction": _crashes,
    "retries_are_never_due": _stormy,
}
"""A bug that is not here shows wherever anything is carried at all."""
