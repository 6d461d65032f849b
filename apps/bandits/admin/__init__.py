"""What the bandit is made of, for staff: its versions, what each believes and did, and the acts on them."""

from apps.bandits.admin.policies import BanditPolicyAdmin

__all__ = ["BanditPolicyAdmin"]
