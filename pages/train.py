"""Train: how does a model come about?"""

from ui import controls, curves, explain, runs, train, watch
from ui.share import share
from ui.visitor import on_behalf_of, visitor

controls.page(
    "train", "Train", "How does a model learn? Choose one, change any setting, start the training, and watch."
)
queue, jobs = runs.open_queue()
who = visitor()
look, form, charts = train.places()

with form:
    preset = train.choose_preset()
    settings = train.settings_form(preset, queue.limits.epochs)
    measuring = train.choose_measuring()
    if train.may_train(queue.limits):
        train.start_button(queue, preset.name, settings, measuring, who)
        train.show_estimate(preset.name, settings, measuring, who)

with look:
    chosen = runs.choose_run(jobs)
    if chosen is None:
        watch.show_example(preset)
    else:
        watch.watch(queue, chosen, on_behalf_of(who, chosen, queue.limits))
with charts:
    if chosen is not None:
        watch.watch_curves(queue, chosen)

compared = curves.compare(jobs)
if jobs:
    runs.show_table(queue, jobs)
controls_of_the_page = train.query(preset, settings, measuring) | ({"run": chosen.id} if chosen else {}) | compared
downloads = {"runs.csv": lambda: curves.table(jobs)} if jobs else {}
share("train", controls_of_the_page, train.code(preset, settings, measuring), downloads)
explain.how_training_works(preset, settings)
