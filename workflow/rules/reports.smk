"""After the cells: MLflow, then tables and figures."""


rule sync:
    input:
        METRICS,
    output:
        touch(SYNCED),
    message:
        "MLflow: send what is new under {RESULTS}"
    shell:
        "{DKD} sync --results {RESULTS:q} || test $? -eq 3"  # some runs were left out, and named


rule report:
    input:
        SYNCED,
    output:
        INDEX,
    message:
        "report: {output}"
    shell:
        "{DKD} report --results {RESULTS:q} --out {REPORTS:q}"
