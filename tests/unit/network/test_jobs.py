from hypothesis import given
from hypothesis import strategies as st

from nova.network import jobs as jobs_module
from nova.network.jobs import JobBook
from nova.objects.jobs import Job, ServeNetworks, Verdict


def job(id_="w:plug:1:0", instance="i-1", fence=1):
    return Job(id=id_, instance_id=instance, fence=fence, order=ServeNetworks(networks=("n",)))


def done(book, *jobs):
    book.end([book.outcome(j, Verdict.DONE) for j in jobs])


def test_a_job_waits_is_done_and_is_told_once():
    book = JobBook("h")
    assert book.order([job()])
    assert book.waiting() == [job()]
    assert book.status("w:plug:1:0").verdict is Verdict.PROGRESS
    done(book, job())
    assert book.waiting() == []
    (told,) = book.untold()
    assert (told.job_id, told.verdict, told.host, told.fence) == ("w:plug:1:0", Verdict.DONE, "h", 1)
    book.told([told])
    assert book.untold() == []
    assert book.status("w:plug:1:0") == told


def test_a_double_is_answered_again_and_not_done_again():
    book = JobBook("h")
    book.order([job(), job()])
    assert len(book.waiting()) == 1
    done(book, job())
    first = book.untold()
    book.told(first)
    book.order([job()])
    assert book.waiting() == []
    assert book.untold() == first


def test_an_older_fence_is_refused():
    book = JobBook("h")
    book.order([job("new", fence=5)])
    book.order([job("old", fence=4), job("other", instance="i-2", fence=1)])
    assert {j.id for j in book.waiting()} == {"new", "other"}
    assert [(o.job_id, o.verdict) for o in book.untold()] == [("old", Verdict.REFUSED)]


def test_an_unknown_job_is_unknown():
    assert JobBook("h").status("never").verdict is Verdict.UNKNOWN


def test_an_answer_that_came_anew_while_it_was_told_is_told_again():
    book = JobBook("h")
    book.order([job()])
    done(book, job())
    (before,) = book.untold()
    done(book, job())
    book.told([before])
    assert len(book.untold()) == 1


def test_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(jobs_module, "REMEMBERED", 10)
    book = JobBook("h")
    for n in range(50):
        book.order([job(f"j{n}", instance=f"i{n}")])
        done(book, job(f"j{n}", instance=f"i{n}"))
        book.told(book.untold())
    assert book.status("j0").verdict is Verdict.UNKNOWN
    assert book.status("j49").verdict is Verdict.DONE


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=30))
def test_every_order_ends_in_an_answer(orders):
    book = JobBook("h")
    asked = set()
    for instance, fence in orders:
        one = job(f"{instance}:{fence}", instance=f"i{instance}", fence=fence)
        asked.add(one.id)
        book.order([one])
    done(book, *book.waiting())
    assert {o.job_id for o in book.untold()} == asked
    assert book.waiting() == []
