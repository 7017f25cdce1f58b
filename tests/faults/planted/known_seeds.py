"""The schedule known to catch each planted bug: the first from 1 on, as `throughline faults --planted` tells it."""

from __future__ import annotations

KNOWN: dict[str, int] = {
    "naive_cursor": 28,
    "look_back_counts_before_it_is_taken": 28,
    "content_hash_ignores_a_field": 15,
    "only_the_first_page": 18,
    "message_known_by_its_number": 12,
    "float_money": 3,
    "rounded_quantities": 1,
    "line_breaks_lost": 2,
    "units_ignored": 2,
    "status_moves_backwards": 66,
    "change_taken_over_unwritten": 1,
    "poison_dropped": 1,
    "key_from_the_try_number": 3,
    "overlap_zero": 28,
    "ties_forgotten": 18,
    "late_revision_overwrites": 232,
    "failed_page_passed_over": 13,
    "cache_ahead_of_the_commit": 197,
    "repeated_callback_refused": 2,
    "lossy_text": 2,
    "rounded_money": 1,
    "zone_ignored": 1,
    "header_instead_of_line": 1,
    "poison_stops_its_neighbours": 1,
    "claimed_before_the_commit": 5,
    "timeout_taken_for_success": 16,
    "lane_order_ignored": 1,
    "blind_retry": 5,
}
