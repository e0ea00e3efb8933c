"""Before any cell: is everything valid, and is there a teacher?"""


rule validate:
    output:
        touch(f"{STAMPS}.validated"),
    params:
        grid=sha256("".join(PLANS.values()).encode()).hexdigest()[: keys.LENGTH],
    message:
        "validate {CONFIG}"
    shell:
        "{DKD} validate --configfile {CONFIG:q} --results {RESULTS:q}"


# Returns at once if there is a valid teacher: teachers are never replaced silently.
rule teacher:
    input:
        ancient(f"{STAMPS}.validated"),
    output:
        touch(f"{RESULTS}/teachers/{{dataset}}/{{network}}/ready"),
    message:
        "teacher {wildcards.network} on {wildcards.dataset}"
    threads: STUDY.threads
    retries: 2
    resources:
        gpu=GPU,
        mem_mb=lambda wildcards, attempt: attempt * 4000,
        runtime=lambda wildcards, attempt: attempt * 240,
    shell:
        "{DKD} train-teacher {wildcards.dataset} {wildcards.network} --results {RESULTS:q}"
