"""Before any cell: its teacher."""


# Returns at once if there is a valid teacher: teachers are never replaced silently. A public one is fetched.
# Another one with a name of its own is not trained here: the command ends with what to type, and is not tried again.
rule teacher:
    output:
        touch(str(PATTERNS.teacher("{dataset}", "{teacher}").ready)),
    message:
        "teacher {wildcards.teacher} on {wildcards.dataset}"
    threads: GRID.threads
    retries: 2
    resources:
        gpu=WHOLE_GPU,
        attempt=lambda wildcards, attempt: attempt,
        mem_mb=lambda wildcards, attempt: attempt * 8000,
        runtime=lambda wildcards, attempt: attempt * 240,
    params:
        making=making,
    shell:
        once("teachers/{wildcards.dataset}/{wildcards.teacher}") +
        "{HIDDEN}{DKD} {params.making} --results {RESULTS:q}"
