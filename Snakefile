# The bench: methods x teacher-student pairs x data scales x seeds, then MLflow, then the report.
#   snakemake                                                    the default grid, workflow/config/digits.yaml
#   ... --cores 8 --resources gpu=4                              not on all cores and GPUs of this machine
#   ... --configfile workflow/config/smoke.yaml                  another grid, instead of the default
#   ... --config methods=ssd-kd scales=10                        a part of the grid
#   ... --config results=DIR reports=DIR                         other folders
# Parsed again in every cluster job: nothing here may import torch.
from snakemake.utils import min_version

min_version("9.20")


include: "workflow/rules/common.smk"


localrules:
    all,
    sync,
    report,


# The cells stand here too: after a failure there is a partial report, which must not look like the end of the work.
rule all:
    input:
        METRICS,
        SYNCED,
        INDEX,
    message:
        "the whole grid"


include: "workflow/rules/teachers.smk"
include: "workflow/rules/distill.smk"
include: "workflow/rules/reports.smk"


# No rule: if all cells depended on it and it ran again, Snakemake would not look for changed parameters in the cells.
onstart:
    refuse_jobs()
    validate()
    write_plans()
    quieten()
    follow()


# A rule that needs all cells does not run after a failure: show at least what there is.
onerror:
    shell("{DKD} report --results {RESULTS:q} --out {REPORTS:q} || true")
