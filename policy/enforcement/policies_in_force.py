"""The judging settings in force, and their assignments."""

from policy.assessment.settings import JudgingSettings
from policy.enforcement.assignments import AssignmentsInForce, Bound
from policy.enforcement.operator_store import OperatorStore


class PoliciesInForce:
    """Settings and assignments that are replaced together.

    Attributes:
        settings: the judging settings.
        assignments: policies and modes by repository.
    """

    def __init__(self, settings: JudgingSettings, orders: OperatorStore) -> None:
        """Resolve all names.

        Raises:
            PolicyRefused: the settings name a policy that is not known or cannot be used.
        """
        self._orders = orders
        self.settings = settings
        self.assignments = self.tried(settings)

    def of(self, repository: str) -> Bound:
        """The policy and mode of a repository."""
        return self.assignments.current().of(repository)

    def tried(self, settings: JudgingSettings) -> AssignmentsInForce:
        """The assignments by other settings, which are not put in force.

        Raises:
            PolicyRefused: they name a policy that is not known or cannot be used.
        """
        return AssignmentsInForce(settings, self._orders)

    def replace(self, settings: JudgingSettings, assignments: AssignmentsInForce) -> None:
        """Put others in force."""
        self.settings = settings
        self.assignments = assignments
