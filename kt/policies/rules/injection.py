r"""The patterns of prompt injection: what an attacker writes so that a model obeys the wrong text.

All of them ignore case. Words may be some forty characters apart, but not sentences: that keeps a
pattern about one request for one thing. They are written from what such texts do, not collected
from them; a text that only talks about the subject should pass.
"""

from kt.policies.rules.signal import Signal, signal

_NEAR = r"[^.!?;]{0,40}"
_CLOSE = r"[^.!?;\n]{0,20}"
_OVERRIDE = (
    r"\b(?:ignor(?:e|ing)|disregard(?:ing)?|forget(?:ting)?|overrid(?:e|ing)|overlook|bypass|discard"
    r"|pay no attention to|set aside|throw (?:away|out)"
    r"|(?:do not|don'?t|stop|no longer|never) (?:follow|obey|adher|heed|comply)(?:ing)?"
    r"(?: to| with)?)\b"
)
_EARLIER = (
    r"(?:previous|prior|above|preceding|earlier|former|foregoing|past|initial|original|existing"
    r"|system)(?:ly)?"
)
_ORDERS = (
    r"(?:instructions?|prompts?|rules|directives?|guidelines?|guidance|commands?|orders"
    r"|constraints|restrictions|programming|training|directions|protocols)"
)
_HIDDEN = (
    r"(?:(?:system|hidden|secret|initial|original|internal|developer|pre)[ -]?"
    r"(?:prompts?|instructions?|messages?|context|rules|directives?|guidelines|configuration)"
    r"|instructions (?:above|you were given)"
    r"|your (?:own |exact |full |entire )?(?:prompt|instructions))"
)
_REVEAL = (
    r"\b(?:reveal|show|print|repeat|display|output|expose|disclose|leak|dump|recite|echo|tell me"
    r"|give me|share|spell out|write out|translate|summari[sz]e|encode|what (?:is|are|was|were))\b"
)
_UNBOUND = (
    r"(?:(?:no|without(?: any)?|free (?:of|from)(?: all| any)?|zero|(?:not |un)bound by(?: any)?)"
    r" (?:\w{1,20}[ ,]{1,2}(?:or |and )?){0,3}"
    r"(?:restrictions?|limits|limitations|filters?|rules|guidelines|censorship|boundaries"
    r"|constraints|safeguards|morals|ethics)"
    r"|unrestricted|unfiltered|uncensored|amoral|jailbroken)"
)
_BECOME = (
    r"\b(?:you (?:are|will be|will become|must be|shall be) (?:now |going to )?|act (?:as|like)"
    r"|pretend (?:to be|(?:that )?you are|you're)|role-?play(?:ing)? as|behave (?:as|like)|simulate"
    r"|become|take on the (?:role|persona) of|from now on)"
)
_BRAKES = (
    r"(?:filters?|guardrails?|safeguards?|restrictions|limitations|guidelines|censorship"
    r"|moderation|polic(?:y|ies))"
)

SIGNALS: tuple[Signal, ...] = (
    # Take back what the model was told before.
    signal("override.earlier", rf"{_OVERRIDE}{_NEAR}\b{_EARLIER}{_CLOSE}\b{_ORDERS}\b"),
    signal(
        "override.yours",
        rf"""{_OVERRIDE} (?:all |any |every |each )?(?:of )?(?:your|these|those|the) {_CLOSE}
        \b{_ORDERS}\b""",
    ),
    signal(
        "override.told",
        rf"""{_OVERRIDE}{_NEAR}\b
        (?:you (?:have been|were|are) (?:told|given|instructed|taught|asked)
        |(?:everything|anything|all|whatever)(?: that was| of the)?\x20
        (?:above|before|said|previously))
        """,
    ),
    signal(
        "override.replaced",
        rf"""\b(?:new|updated|real|actual|revised) {_ORDERS}(?: are| follow|:)
        |\binstructions? (?:above|before this) (?:are|were|is)\x20
        (?:void|obsolete|fake|wrong|a test)""",
    ),
    signal(
        "override.instead",
        rf"""{_OVERRIDE}{_NEAR}\b(?:task|assignment|request|question|article|document|conversation)\b
        {_NEAR}\b(?:and|but|then|instead)\b{_CLOSE}
        \b(?:say|print|write|output|respond|reply|answer|tell|do)\b""",
    ),
    # Make it say what it was told.
    signal("leak.prompt", rf"{_REVEAL}{_NEAR}\b{_HIDDEN}\b"),
    signal(
        "leak.above",
        rf"""\b(?:repeat|print|output|copy|recite|echo)\b[^.!?;]{{0,30}}
        \b(?:everything|all|words|text|lines)\b{_CLOSE}\b(?:above|before this)\b""",
    ),
    # Make it somebody who has no rules.
    signal("persona.unbound", rf"{_BECOME}\b[^.!?;]{{0,60}}\b{_UNBOUND}\b"),
    signal(
        "persona.named",
        r"""\b(?:you are|act as|be|become|play|as|called|named) [\x22'\u201c]?(?:a )?
        (?:dan|stan|dude|aim|evil[ -]?bot)\b[\x22'\u201d]?[^.!?;]{0,40}
        \b(?:do anything|mode|can do|no rules|jailbroken|without|machiavelli)""",
    ),
    signal("persona.do_anything", r"\bdo anything now\b"),
    signal(
        "persona.mode",
        rf"""\b(?:enable|enter|activate|switch (?:in)?to|turn on|in|with|simulate|go into)\b{_CLOSE}
        \b(?:developer|god|jailbreak|dan|admin|sudo|root|unrestricted|maintenance|evil) mode\b
        """,
    ),
    signal(
        "persona.access",
        r"\b(?:developer|admin(?:istrator)?|root|sudo) (?:override|access granted)\b",
    ),
    signal(
        "persona.stay",
        r"""\b(?:stay|remain|never break|do not break|don'?t break|keep) (?:in |out of )?(?:your )?
        character\b[^.!?;]{0,60}\b(?:refus|rules|polic|guideline|restrict|ethic|warn|cannot|can't)""",
    ),
    signal(
        "persona.two_answers",
        r"""\b(?:two|2|both) (?:different )?(?:responses|answers|ways|outputs)\b[^.!?;]{0,60}
        \b(?:unfiltered|jailbr|dan\b|developer mode|uncensored|without restrictions)""",
    ),
    # Take away its brakes.
    signal(
        "brakes.no_refusal",
        r"""\b(?:never|do not|don'?t|cannot|can't|must not|may not|will not|won't|not allowed to)
        (?: ever)? (?:refuse|reject|decline|deny) (?:a |any |an |the |my |to (?:answer|comply|do))
        [^.!?;]{0,30}\b(?:request|question|command|order|prompt|task|instruction|answer|user)""",
    ),
    signal(
        "brakes.off",
        rf"""\b(?:disable|remove|turn off|deactivate|switch off|lift|drop|circumvent|bypass|evade)
        \x20(?:all |any |of )?(?:your |its |the |of your )(?:\w{{1,20}} ){{0,3}}{_BRAKES}""",
    ),
    signal(
        "brakes.policy",
        r"""\b(?:ignore|disregard|violate|break|free from|does(?: not|n'?t) (?:follow|care about)
        |not (?:bound|limited|restricted|constrained) by)\b[^.!?;]{0,30}
        \b(?:openai|anthropic|google|content|usage|safety|ethical|moral|ai) (?:\w{1,15} )?
        (?:polic(?:y|ies)|guidelines?|rules|restrictions|principles)""",
    ),
    signal(
        "brakes.regardless",
        r"""\b(?:always|must|only) (?:answer|comply|obey|respond)\b[^.!?;]{0,60}
        \b(?:regardless of|no matter how|even if (?:it|they|the \w{1,20}) (?:is|are|be))\x20
        (?:\w{1,20},? ){0,6}
        (?:ethic|legal|illegal|moral|immoral|harmful|unethical|offensive|dangerous)""",
    ),
    # Command a model from inside a document.
    signal(
        "planted.attention",
        r"""\b(?:attention|important|urgent)(?: notice| message| note| instructions?)?
        (?: to| for) (?:the |any |all )?(?:ai|llm|assistant|chatbot|language model|agent)s?\b""",
    ),
    signal(
        "planted.reader",
        r"""\b(?:if you are|when you(?: are)?|as) an? (?:ai|llm|language model|automated)
        [^.!?;]{0,40}(?:reading|processing|summari[sz]ing|evaluating|reviewing)\b[^!?;]{0,60}
        \b(?:must|should|please|ignore|instead|recommend|output|say|respond)""",
    ),
    signal(
        "planted.silent",
        r"""\b(?:do not|don'?t|never|without)\x20
        (?:tell|telling|mention|mentioning|inform|informing|reveal|revealing|alert|alerting)\b
        [^.!?;]{0,30}\b(?:user|human|owner)\b[^.!?;]{0,40}\b(?:instruction|prompt|message)s?\b""",
    ),
    # Run what is hidden in an encoding.
    signal(
        "encoded.obey",
        r"""\b(?:decode|decipher|decrypt|unscramble)\b[^!?;]{0,80}\b(?:and|then)\b[^.!?;]{0,20}
        \b(?:follow|execute|obey|run|do what|carry out|comply|perform)\b""",
    ),
)

FAKE_BOUNDARIES: tuple[Signal, ...] = (
    signal(
        "boundary.token",
        r"""<\|(?:im_start|im_end|im_sep|system|assistant|user|endoftext|endofprompt|eot_id
        |begin_of_text|start_header_id|end_header_id)\|>""",
    ),
    signal("boundary.inst", r"\[/?inst\]|<</?sys>>"),
    signal(
        "boundary.heading",
        r"""(?:^|\n)[ \t]{0,4}(?:#{2,6}|={3,6}|-{3,6}|\*{2,6}|\[)[ \t]{0,4}
        (?:new |end |end of |begin |start )?(?:system|developer)
        (?: (?:prompt|message|instructions?|override))?
        [ \t]{0,4}(?::|#{2,6}|={3,6}|-{3,6}|\*{2,6}|\])""",
    ),
    signal(
        "boundary.tag",
        r"""</?(?:system|system[_-](?:prompt|message|instructions?)|user[_-](?:input|message|query)
        |untrusted[_-]\w{1,20})>""",
    ),
    signal(
        "boundary.end_of",
        r"""\b(?:end of|begin|start of|end) (?:the )?(?:system |user |untrusted )
        (?:prompt|message|input|instructions?|data)\b[^.!?;\n]{0,20}(?:\n|:|\]|-{3})""",
    ),
)
"""Marks that only the template of a chat writes; inside a text they pretend to end it."""
