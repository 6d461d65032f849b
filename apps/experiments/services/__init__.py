"""Assigning units, changing what serves everybody, and leading experiments through their lives."""

from apps.experiments.assigning import Attributes
from apps.experiments.services.assignment import Assignment, Group, Other, assign, group_of
from apps.experiments.services.checklist import Check, checklist
from apps.experiments.services.designing import (
    Design,
    VariantDesign,
    change_experiment,
    check_design,
    create_experiment,
    delete_experiment,
    design_of,
)
from apps.experiments.services.evidence import judged, replay_decision
from apps.experiments.services.exchange import Imported, design_json, export_designs, import_designs
from apps.experiments.services.life import (
    advance,
    approve,
    pause,
    promote,
    resume,
    roll_back,
    ship,
    start,
    stop,
    undo,
)
from apps.experiments.services.overrides import (
    change_holdout,
    follow_link,
    link_token,
    override,
    read_token,
    remove_override,
)
from apps.experiments.services.policy import (
    bandit_serves,
    change_policy,
    check_policy,
    resume_bandit,
    suspend_bandit,
)
from apps.experiments.services.rollup import rebuild, roll_up
from apps.experiments.services.watching import watch

__all__ = [
    "Assignment",
    "Attributes",
    "Check",
    "Design",
    "Group",
    "Imported",
    "Other",
    "VariantDesign",
    "advance",
    "approve",
    "assign",
    "bandit_serves",
    "change_experiment",
    "change_holdout",
    "change_policy",
    "check_design",
    "check_policy",
    "checklist",
    "create_experiment",
    "delete_experiment",
    "design_json",
    "design_of",
    "export_designs",
    "follow_link",
    "group_of",
    "import_designs",
    "judged",
    "link_token",
    "override",
    "pause",
    "promote",
    "read_token",
    "rebuild",
    "remove_override",
    "replay_decision",
    "resume",
    "resume_bandit",
    "roll_back",
    "roll_up",
    "ship",
    "start",
    "stop",
    "suspend_bandit",
    "undo",
    "watch",
]
