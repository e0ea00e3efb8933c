"""After the cells: MLflow, then tables and figures."""


rule sync:
    input:
        METRICS,
    output:
        touch(f"{STAMPS}.synced"),
    message:
        "MLflow: send what is new under {RESULTS}"
    shell:
        "{DKD} sync --results {RESULTS:q}"


rule report:
    input:
        f"{STAMPS}.synced",
    output:
        f"{REPORTS}/index.html",
    message:
        "report: {output}"
    shell:
        "{DKD} report --results {RESULTS:q} --out {REPORTS:q}"
