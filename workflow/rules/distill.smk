"""The cells. Everything under runs/ is undeclared, so that Snakemake never deletes it."""


# A diverged or failed method is a result and exits 0; retries are for signals, full memory and full disks.
rule distill:
    input:
        ancient(lambda wildcards: str(teacher_of(cell_of(wildcards)).ready)),
    output:
        str(PATTERNS.cell("{cell}").metrics),
    params:
        plan=lambda wildcards: PLANS[wildcards.cell],
        key=cell_key,
    message:
        "cell {wildcards.cell}"
    threads: GRID.threads
    retries: 2
    resources:
        gpu=GPU,
        attempt=lambda wildcards, attempt: attempt,
        mem_mb=lambda wildcards, attempt: attempt * 8000,
        runtime=lambda wildcards, attempt: attempt * 240,
    shell:
        once("{wildcards.cell}") +
        "{DKD} run {wildcards.cell} --configfile {CONFIG:q} --results {RESULTS:q}"
        " --plan-key {params.plan} --concurrent {CONCURRENT}"
