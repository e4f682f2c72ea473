"""The policy kinds: one kind = one file = its model, its facts, its body.

A kind is a frozen model whose fields are the keys of `policy.<kind>`. The compiler reads it, orders
it by its facts and lowers it; the runtime only ever sees the body.
"""

from typing import ClassVar, Protocol

from kt.plan import NotEnforced, Record, Scan
from kt.policies.agent_firewall import AgentFirewall
from kt.policies.any_value import AnyValue
from kt.policies.audit_logger import AuditLogger
from kt.policies.bias_monitor import BiasMonitor
from kt.policies.bot_detector import BotDetector
from kt.policies.case_privacy import CasePrivacy
from kt.policies.citation_verifier import CitationVerifier
from kt.policies.cjis_mode import CjisMode
from kt.policies.code_sanitation import CodeSanitation
from kt.policies.content_extractor import ContentExtractor
from kt.policies.data_routing_policy import DataRoutingPolicy
from kt.policies.dlp_filter import DlpFilter
from kt.policies.document_analyzer import DocumentAnalyzer
from kt.policies.dual_use_filter import DualUseFilter
from kt.policies.embedding_detector import EmbeddingDetector
from kt.policies.entity_list_filter import EntityListFilter
from kt.policies.eu_ai_act import EuAiAct
from kt.policies.external_moderation import ExternalModeration
from kt.policies.financial_compliance import FinancialCompliance
from kt.policies.flagged_review import FlaggedReview
from kt.policies.gdpr_compliance import GdprCompliance
from kt.policies.healthcare_compliance import HealthcareCompliance
from kt.policies.hipaa_phi_detector import HipaaPhiDetector
from kt.policies.human_oversight import HumanOversight
from kt.policies.itar_ear_filter import ItarEarFilter
from kt.policies.language_validator import LanguageValidator
from kt.policies.legal_privilege import LegalPrivilege
from kt.policies.mnpi_filter import MnpiFilter
from kt.policies.pii_detector import PiiDetector
from kt.policies.problem import Problem
from kt.policies.prompt_injection import PromptInjection
from kt.policies.quality_scorer import QualityScorer
from kt.policies.rbac import Rbac
from kt.policies.safety_filter import SafetyFilter
from kt.policies.student_privacy import StudentPrivacy
from kt.policies.tool_budget import ToolBudget
from kt.policies.tool_security import ToolSecurity
from kt.policies.tool_validation import ToolValidation
from kt.policies.upl_filter import UplFilter
from kt.policy import Facts, Phase


class PolicyKind(Protocol):
    """What every kind offers."""

    KIND: ClassVar[str]
    """Its canonical name, with hyphens."""
    PHASES: ClassVar[tuple[Phase, ...]]
    """Where a chain entry of it runs when it names no stage."""

    def facts(self, phase: Phase) -> Facts:
        """State what the compiler may know of it."""

    def body(self, phase: Phase) -> Scan | Record | NotEnforced:
        """Lower to what the runtime runs. Call it only where `problems` has no error."""

    def problems(self) -> tuple[Problem, ...]:
        """Report everything that types alone cannot say, errors and warnings."""


KINDS: tuple[type[PolicyKind], ...] = (
    PromptInjection,
    PiiDetector,
    HipaaPhiDetector,
    AgentFirewall,
    Rbac,
    DlpFilter,
    SafetyFilter,
    LanguageValidator,
    BotDetector,
    ExternalModeration,
    EmbeddingDetector,
    ContentExtractor,
    DocumentAnalyzer,
    DataRoutingPolicy,
    StudentPrivacy,
    CasePrivacy,
    CjisMode,
    ItarEarFilter,
    EntityListFilter,
    DualUseFilter,
    MnpiFilter,
    LegalPrivilege,
    GdprCompliance,
    EuAiAct,
    ToolValidation,
    ToolSecurity,
    ToolBudget,
    CodeSanitation,
    QualityScorer,
    HumanOversight,
    FlaggedReview,
    CitationVerifier,
    BiasMonitor,
    FinancialCompliance,
    HealthcareCompliance,
    UplFilter,
    AuditLogger,
)
"""Every kind there is."""

__all__ = ["KINDS", "AnyValue", "PolicyKind", "Problem"]
