-- The kernel's clock. What it shows differs from machine to machine: only what must be so is compared.
SELECT state IN ('synchronized', 'not synchronized lately', 'not synchronized') OR state LIKE 'unknown: %' AS is_state,
       synchronized IS NULL = (state LIKE 'unknown: %') AS is_known,
       synchronized IS NULL OR synchronized = (state = 'synchronized') AS says_so_twice,
       max_error IS NULL OR max_error BETWEEN 0 AND 16000 AS max_error,
       estimated_error IS NULL OR estimated_error >= 0 AS estimated_error,
       frequency IS NULL OR abs(frequency) <= 500 AS frequency,
       tick IS NULL OR tick BETWEEN 9000 AND 11000 AS tick,
       leap IS NULL OR leap IN ('none', 'insert', 'delete', 'in progress') AS leap
FROM idgen_clock();
SELECT (SELECT state FROM idgen_clock()) = clock_state AS is_one_state FROM idgen_stat_server;
-- Everybody may look.
CREATE ROLE regress_idgen_reader;
SET ROLE regress_idgen_reader;
SELECT count(*) FROM idgen_clock();
SET idgen.max_clock_error = 0;
RESET ROLE;
DROP ROLE regress_idgen_reader;
