-- One guard on OpenIM's table, from the hook to the refusal.
CREATE EXTENSION pg_verdict;
CREATE TABLE public.chat_logs (
  server_msg_id char(64) PRIMARY KEY, send_id char(64), recv_id char(64), session_type int, content_type int,
  content varchar(3000), status int);
SELECT verdict.create_hook('before_send_single');
SELECT verdict.guard('chat_logs', 'before_send_single', key => 'server_msg_id',
  content => '{"content":"content","sendID":"send_id","recvID":"recv_id","contentType":"content_type"}',
  condition => 'NEW.session_type = 1');

-- always enabled, and no arguments that could be changed
SELECT tgname, tgenabled, tgnargs FROM pg_trigger WHERE tgrelid = 'chat_logs'::regclass AND NOT tgisinternal ORDER BY tgname;

-- an approval, a refusal as reported in OpenIM's issue 3049, and an answer that is no answer
SELECT id, outcome, failed_because, recorded_subject, expires_at - recorded_at AS valid FROM verdict.record('before_send_single',
  '{"serverMsgID":"m1","sendID":"a","recvID":"b","contentType":101,"content":"hi"}',
  '{"actionCode":0,"errCode":0,"errMsg":"","errDlt":"","nextCode":0}');
SELECT id, outcome, failed_because, recorded_subject, expires_at - recorded_at AS valid FROM verdict.record('before_send_single',
  '{"serverMsgID":"m2","sendID":"a","recvID":"b","contentType":101,"content":"bad"}',
  '{"actionCode":1,"errCode":5001,"errMsg":"消息发送失败，请联系管理员！","errDlt":"","nextCode":1}');
SELECT id, outcome, failed_because, recorded_subject FROM verdict.record('before_send_single',
  '{"serverMsgID":"m5","sendID":"a","recvID":"b","contentType":101,"content":"hi"}', '<html>502</html>', 502);
SELECT id, outcome, failed_because, recorded_subject FROM verdict.record_no_answer('before_send_single',
  '{"serverMsgID":"m6","sendID":"a","recvID":"b","contentType":101,"content":"hi"}', 'timeout');

-- approved
INSERT INTO chat_logs VALUES ('m1', 'a', 'b', 1, 101, 'hi', 1);
-- denied
INSERT INTO chat_logs VALUES ('m2', 'a', 'b', 1, 101, 'bad', 1);
-- missing
INSERT INTO chat_logs VALUES ('m3', 'a', 'b', 1, 101, 'hi', 1);
-- failed, twice
INSERT INTO chat_logs VALUES ('m5', 'a', 'b', 1, 101, 'hi', 1);
INSERT INTO chat_logs VALUES ('m6', 'a', 'b', 1, 101, 'hi', 1);
-- one refused row takes the whole statement with it
INSERT INTO chat_logs VALUES ('m7', 'a', 'b', 2, 101, 'hi', 1), ('m2', 'a', 'b', 1, 101, 'bad', 1);
-- not under the condition
INSERT INTO chat_logs VALUES ('m4', 'a', 'b', 2, 101, 'free', 1);
-- a condition that is NULL does not open the door
INSERT INTO chat_logs VALUES ('m8', 'a', 'b', NULL, 101, 'hi', 1);

-- an altered edit, of each bound column
UPDATE chat_logs SET content = 'evil' WHERE server_msg_id = 'm1';
UPDATE chat_logs SET send_id = 'c' WHERE server_msg_id = 'm1';
UPDATE chat_logs SET content_type = NULL WHERE server_msg_id = 'm1';
-- the subject
UPDATE chat_logs SET server_msg_id = 'm3' WHERE server_msg_id = 'm1';
-- an innocent edit
UPDATE chat_logs SET status = 2 WHERE server_msg_id = 'm1';
UPDATE chat_logs SET content = 'hi', status = 3 WHERE server_msg_id = 'm1';
-- content under a flipped condition, and a row that comes under the condition
UPDATE chat_logs SET session_type = 2, content = 'evil' WHERE server_msg_id = 'm1';
UPDATE chat_logs SET session_type = 1 WHERE server_msg_id = 'm4';
UPDATE chat_logs SET session_type = NULL WHERE server_msg_id = 'm4';

-- revoked: what is stored stays, nothing new comes in
SELECT id, outcome, recorded_subject FROM verdict.revoke('before_send_single', 'm1', 'reported by the recipient');
UPDATE chat_logs SET status = 4 WHERE server_msg_id = 'm1';
UPDATE chat_logs SET content = 'evil' WHERE server_msg_id = 'm1';
DELETE FROM chat_logs WHERE server_msg_id = 'm1';
INSERT INTO chat_logs VALUES ('m1', 'a', 'b', 1, 101, 'hi', 1);
SELECT verdict.revoke('before_send_single', 'm1', 'again');
SELECT verdict.revoke('before_send_single', 'm2', 'a denial');
SELECT verdict.revoke('before_send_single', 'm99', 'nothing');

-- approved by hand without content: no digest, which a guard with content does not take
SELECT id, outcome, digest FROM verdict.approve('before_send_single', 'm3');
INSERT INTO chat_logs VALUES ('m3', 'a', 'b', 1, 101, 'hi', 1);
-- and with it
SELECT id, outcome FROM verdict.approve('before_send_single', 'm3',
  '{"content":"hi","sendID":"a","recvID":"b","contentType":101}');
INSERT INTO chat_logs VALUES ('m3', 'a', 'b', 1, 101, 'hi', 1);
-- denied by hand
SELECT id, outcome FROM verdict.deny('before_send_single', 'm9', 4711, 'spam');
INSERT INTO chat_logs VALUES ('m9', 'a', 'b', 1, 101, 'hi', 1);

SELECT id, outcome, cause, subject, superseded_by, revokes, via, err_code, err_msg, reason, http_status
FROM verdict.verdicts ORDER BY id;
SELECT rtrim(server_msg_id) AS id, session_type, content, status FROM chat_logs ORDER BY 1;

-- observed only, then off
SELECT verdict.alter_guard('chat_logs', 'before_send_single', mode => 'observe');
INSERT INTO chat_logs VALUES ('m10', 'a', 'b', 1, 101, 'hi', 1);
SELECT verdict.alter_guard('chat_logs', 'before_send_single', mode => 'enforce', on_missing => 'allow');
INSERT INTO chat_logs VALUES ('m11', 'a', 'b', 1, 101, 'hi', 1);
INSERT INTO chat_logs VALUES ('m9', 'a', 'b', 1, 101, 'hi', 1);
SELECT verdict.drop_hook('before_send_single');
SELECT verdict.unguard('chat_logs', 'before_send_single', NULL);
SELECT verdict.unguard('chat_logs', 'before_send_single', 'end of the trial');
INSERT INTO chat_logs VALUES ('m9', 'a', 'b', 1, 101, 'hi', 1);
SELECT count(*) FROM pg_trigger WHERE tgrelid = 'chat_logs'::regclass AND NOT tgisinternal;
