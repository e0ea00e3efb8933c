"""Before any cell: its teacher."""


# Returns at once if there is a valid teacher: teachers are never replaced silently.
rule teacher:
    output:
        touch(str(PATTERNS.teacher("{dataset}", "{network}").ready)),
    message:
        "teacher {wildcards.network} on {wildcards.dataset}"
    threads: GRID.threads
    retries: 2
    resources:
        gpu=GPU,
        attempt=lambda wildcards, attempt: attempt,
        mem_mb=lambda wildcards, attempt: attempt * 8000,
        runtime=lambda wildcards, attempt: attempt * 240,
    params:
        recipe=lambda wildcards: recipe(wildcards.dataset),
    shell:
        once("teachers/{wildcards.dataset}/{wildcards.network}") +
        "{DKD} train-teacher {wildcards.dataset} {wildcards.network} --results {RESULTS:q} {params.recipe}"
